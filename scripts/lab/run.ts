// Runs any procedure in the simulated home, in the environment of that home.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, UsageError } from "../lib/run/errors.ts";
import { nearest } from "../lib/text/nearest.ts";
import { text, variable } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { COMMON } from "../lib/run/command-line.ts";
import { homeFolder, labTask, lookAt, USUAL_NAME } from "../lib/lab/simulated-home.ts";

const SCRIPTS = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** The names of all procedures except the lab's. */
export function procedures(scripts = SCRIPTS): string[] {
  const names = (folder: string) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
      .map((file) => file.slice(0, -3));
  const areas = readdirSync(scripts, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== "lib" && entry.name !== "lab",
  );
  return [...names(scripts), ...areas.flatMap(({ name }) => names(join(scripts, name)).map((file) => `${name}:${file}`))].sort();
}

/** The common variables that were given to lab:run, and the settings of the terminal. */
export const passedOn = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    [...Object.keys(COMMON).map((flag) => `ARG_${variable(flag)}`), ...Object.keys(COMMON).map(variable), "NO_COLOR", "COLUMNS"].flatMap(
      (name) => (env[name] ? [[name, env[name]]] : []),
    ),
  );

export const run = procedure({
  name: "lab:run",
  about: "run any procedure in a simulated home: lab:run -- talos:status",
  cluster: false,
  rest: "area:name [flags]",
  scope: "none",
  options: { name: text("the home's name", USUAL_NAME) },
  async run({ name: home }, { env, rest, dryRun, ui }) {
    const [name, ...words] = rest;
    if (name === undefined) throw new UsageError("lab:run: name a procedure: task lab:run -- talos:status");
    const all = procedures();
    if (!all.includes(name))
      throw new UsageError(`there is no procedure ${name}; did you mean ${nearest(name, all) ?? "one of these"}?\n  ${all.join(" ")}`);
    const folder = homeFolder(env.HOME_OPS_STATE!, home);
    if (lookAt(folder).pid === undefined)
      throw new Failure({
        attempted: `run ${name} in the simulated home`,
        said: `no home is running in ${folder}`,
        next: labTask("up", home),
      });
    const { editedSince, scriptIn } = await import("../../test/simulators/control.ts");
    const edited = editedSince(folder, resolve(SCRIPTS, ".."));
    if (edited.length > 0)
      ui.warn(
        `the home works on its own copy, ${folder}/repo: it does not see ${some(edited)}; ${labTask("down", home)}, then ${labTask("up", home)} makes a new copy`,
      );
    const script = scriptIn(folder, name, [...words, ...(dryRun ? ["--dry-run"] : [])]);
    const child = spawn(script.file, script.args, { cwd: script.cwd, env: { ...script.env, ...passedOn(process.env) }, stdio: "inherit" });
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
    });
    // the exit code is passed on; the procedure has printed the reason
    if (code !== 0)
      process.stderr.write(`(this ran in the simulated home; run the next command as ${labTask("run", home)} -- area:name)\n`);
    if (code !== 0) process.once("exit", () => void (process.exitCode = code));
  },
});

const some = ([first = "", ...more]: string[]) => `${first}${more.length > 0 ? ` and ${more.length} more` : ""}`;

await main(import.meta, run);
