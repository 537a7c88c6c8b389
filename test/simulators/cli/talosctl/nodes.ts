// talosctl version, apply-config, bootstrap, kubeconfig.
import { applyConfig, bootstrap, MODES, type Mode } from "../../world/talos/api.ts";
import { adminKubeconfig } from "../../world/cluster/admin-kubeconfig.ts";
import { swapAt } from "../../world/stranger.ts";
import { refusedInMaintenance } from "../../world/talos/maintenance.ts";
import { talosOf } from "../../world/talos/version.ts";
import { Untaught } from "../../world/tool.ts";
import { milliseconds } from "../kubectl/client.ts";
import { goError, isMissing } from "../go-errors.ts";
import { clientOf, fanOut, listErrors, onlyOne, reach, type TalosCall, TalosError } from "./client.ts";
import { wordsOf } from "../../world/talos/grpc-status.ts";

const build = (tag: string) =>
  `\tTag:         ${tag}\n\tSHA:         simulated\n\tBuilt:       \n\tGo version:  go1.26.2\n\tOS/Arch:     linux/amd64\n`;

export async function versionCommand(talos: TalosCall): Promise<void> {
  const { call, words } = talos;
  const json = words.on("json");
  if (!json) {
    call.out(`Client:\n${words.on("short") ? `Talos ${clientOf(call)}\n` : build(clientOf(call))}`);
    if (words.on("client")) return;
    call.out("Server:\n");
  }
  const { answered, error } = fanOut(await reach(talos), words.on("insecure"));
  if (answered.length === 0) throw new TalosError(`error getting version: ${error}`);
  for (const { machine } of answered) {
    const refused = refusedInMaintenance(machine, "/machine.MachineService/Version", {});
    if (refused) throw new TalosError(`error getting version: ${wordsOf(refused)}`);
  }
  if (error !== undefined) call.err(`WARNING: ${error}\n`);
  for (const { node, machine } of answered) {
    const tag = talosOf(machine);
    const rbac = machine.stage === "running";
    if (json)
      call.out(
        `${JSON.stringify({ metadata: { hostname: node }, version: { tag, sha: "simulated", goVersion: "go1.26.2", os: "linux", arch: "amd64" }, platform: { name: machine.installed?.platform ?? machine.iso?.platform, mode: "metal" }, features: rbac ? { rbac } : {} })}\n`,
      );
    else call.out(`\tNODE:        ${node}\n${build(tag)}\tEnabled:     ${rbac ? "RBAC" : ""}\n`);
  }
}

export async function applyCommand(talos: TalosCall): Promise<void> {
  const { world, call, words, rest } = talos;
  if (rest.length > 0) throw new Untaught();
  const file = words.text("file");
  if (file === undefined) throw new TalosError("no filename supplied for configuration");
  const text = await call.read(file).catch((error: unknown) => {
    throw new TalosError(`failed to read configuration from ${JSON.stringify(file)}: ${goError(file, error)}`);
  });
  if (text === "") throw new TalosError("no configuration data read");
  const mode = (words.text("mode") ?? "auto") as Mode;
  if (!MODES.includes(mode))
    throw new TalosError(`invalid argument ${JSON.stringify(mode)} for "-m, --mode" flag: possible options are: ${MODES.join(", ")}`);
  const failed = (error: string) => new TalosError(`error applying new configuration: ${error}`);
  if (words.on("insecure")) for (const node of words.list("nodes")) swapAt(world, node);
  const { answered, error } = fanOut(await reach(talos), words.on("insecure"));
  const errors: string[] = [];
  for (const { node, machine } of answered) {
    const trialMs = milliseconds(words.text("timeout") ?? "1m");
    const asked = { mode: mode.toUpperCase().replace("-", "_") };
    const applied =
      refusedInMaintenance(machine, "/machine.MachineService/ApplyConfiguration", asked) ??
      applyConfig(world, machine, text, mode, words.on("dry-run"), { trialMs });
    if ("details" in applied) call.err(`${applied.details}\n`);
    else errors.push(words.on("insecure") ? wordsOf(applied) : `${node}: ${wordsOf(applied)}`);
  }
  if (error !== undefined) throw failed(error);
  if (errors.length > 0) throw failed(words.on("insecure") ? errors[0]! : listErrors(errors));
}

export async function bootstrapCommand(talos: TalosCall): Promise<void> {
  const target = onlyOne(await reach(talos), "bootstrap");
  if ("error" in target) throw new TalosError(`error executing bootstrap: ${target.error}`);
  const refused = bootstrap(talos.world, target.machine);
  if (refused) throw new TalosError(`error executing bootstrap: ${listErrors([`${target.node}: ${wordsOf(refused)}`])}`);
}

export async function kubeconfigCommand(talos: TalosCall): Promise<void> {
  const { call, words, rest } = talos;
  const target = onlyOne(await reach(talos), "kubeconfig");
  const path = rest[0] ?? "kubeconfig";
  const there = await call.read(path).then(
    () => true,
    (error: unknown) => !isMissing(error),
  );
  const merge = there && (words.given("merge") ?? true);
  if (merge) throw new Untaught("to merge into a kubeconfig");
  if (there && !words.on("force"))
    throw new TalosError(`kubeconfig file already exists, use --force to overwrite: ${JSON.stringify(path)}`);
  if ("error" in target) throw new TalosError(`error copying: ${target.error}`);
  const given = adminKubeconfig(talos.world, target.machine);
  if ("code" in given) throw new TalosError(`error copying: ${wordsOf(given)}`);
  const { text } = given;
  if (path === "-") call.out(text);
  else await call.write(path, text, 0o600);
}
