// Proves from the files alone that a first install can come up: structure, schemas, values, secrets, network, images, and what waits for what.
import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Cluster } from "../lib/cluster/cluster.ts";
import { Failure, UsageError } from "../lib/run/errors.ts";
import type { Home, Lint } from "../lib/lint/lint.ts";
import { choice, maybeText, text } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import type { Ui } from "../lib/run/ui.ts";
import { wrap } from "../lib/text/wrap.ts";

export const lintKubernetes = procedure({
  name: "lint:kubernetes",
  about: "check that the tree can start in an empty cluster",
  scope: "none",
  readOnly: true,
  options: {
    root: text("the folder with apps/ and flux/, or the repository that has it", "kubernetes"),
    bootstrap: maybeText("the bootstrap's folder; beside the tree when left out"),
    explain: maybeText("say what an object waits for, and why: NAME, NAMESPACE/NAME or KIND/NAMESPACE/NAME"),
    report: choice("form of the findings", { text: "for people", github: "annotations of a GitHub workflow" }, "text"),
  },
  cluster: false,
  async run({ root: tree, bootstrap, explain, report }, { root, signal, ui }) {
    const { lint } = await import("../lib/lint/lint.ts");
    const { asAnnotations, inNumbers, inText } = await import("../lib/lint/report.ts");
    const where = { root: resolve(root, tree), ...(bootstrap !== undefined && { bootstrap: resolve(root, bootstrap) }) };
    const result = await lint(where, { ...(await homeOf(root, where.root)), signal });
    const shownPath = (file: string) => shownFrom(root, result.input.tree.base, file);
    if (explain !== undefined) return answer(result, explain, ui, shownPath);
    const { input, convergence } = result;
    const findings = result.findings.map((one) => ({ ...one, file: shownPath(one.file) }));
    const errors = findings.filter(({ level }) => level === "error");
    const { inLines } = await import("../lib/lint/converge/waves.ts");
    const waves = convergence && errors.length === 0 && report === "text" ? inLines(convergence.waves, convergence.criticalPath) : [];
    const shown = report === "github" ? asAnnotations(findings) : inText(findings);
    ui.result(
      { findings, waves: convergence?.waves ?? [], criticalPath: convergence?.criticalPath ?? [] },
      report === "github" ? shown : wrap([shown, ...waves].filter(Boolean).join("\n")),
    );
    const objects = input.tree.kustomizations.reduce((sum, { built }) => sum + built.length, 0);
    ui.say(`${input.tree.kustomizations.length} Kustomizations, ${objects} objects: ${inNumbers(findings)}`);
    if (errors.length === 0)
      return ui.say(
        findings.length === 0
          ? "the tree can start cold"
          : wrap("the tree can start cold: a note costs time, and only the cluster can tell what is unknown; neither prevents the start"),
      );
    throw new Failure({
      attempted: "show that this tree can start",
      said: inNumbers(findings),
      next: `fix the errors above, then: task lint:kubernetes${tree === "kubernetes" ? "" : ` ROOT=${tree}`}${bootstrap === undefined ? "" : ` BOOTSTRAP=${bootstrap}`}`,
    });
  },
});

/** A tree's file as whoever stands in this repository can open it: from its root, or whole where it lies outside. The lint's own files are here. */
function shownFrom(root: string, base: string, file: string): string {
  const own = file.startsWith("scripts/lint/") && !existsSync(join(base, file));
  const whole = own ? join(root, file) : resolve(base, file);
  return isWithin(whole, root) ? relative(root, whole) || "." : whole;
}

/** The versions and the home that a tree is for: its own repository's, where it has them. */
async function homeOf(own: string, tree: string): Promise<Home> {
  const { loadVersions } = await import("../lib/cluster/versions.ts");
  const base = [tree, join(tree, "..")].find((folder) => existsSync(join(folder, "versions.env"))) ?? own;
  const { KUBERNETES_VERSION: kubernetes } = loadVersions(base, {});
  const cluster = isWithin(tree, base) ? await clusterOf(base) : undefined;
  return { kubernetes, ...(cluster && { cluster }) };
}

const isWithin = (path: string, folder: string) => !relative(folder, path).startsWith("..");

/** A cluster.yaml that is absent or wrong is another check's finding: the tree is read without it. */
async function clusterOf(base: string): Promise<Cluster | undefined> {
  const { loadCluster } = await import("../lib/cluster/load.ts");
  try {
    return loadCluster(base, () => {});
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

async function answer({ convergence }: Lint, asked: string, ui: Ui, shownPath: (file: string) => string): Promise<void> {
  const { explain, meant } = await import("../lib/lint/converge/explain.ts");
  const lines = convergence && explain(convergence, asked, shownPath);
  const close = lines || !convergence ? undefined : meant(asked, convergence);
  if (!lines)
    throw new UsageError(
      `--explain ${asked}: there is no such object in the tree (NAME, NAMESPACE/NAME or KIND/NAMESPACE/NAME)${close ? `; did you mean ${close}?` : ""}`,
    );
  ui.result(lines, wrap(lines.join("\n")));
}

await main(import.meta, lintKubernetes);
