// A cluster made stage by stage, and then daily work with Flux: edit, commit, push, sync; take an application away and bring it back.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askHome, environmentOf, layoutOf } from "../simulators/control.ts";
import { CHECKS } from "../../scripts/lint.ts";
import { commitAndPush } from "../simulators/fork/repository.ts";
import { finalState, type Ran, run } from "../rehearsal/day.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";
import { violationsOf } from "../rehearsal/violations.ts";

let home: RunningHome;
const runs: Ran[] = [];
const HAUL = 300_000; // only stops a hang

async function task(name: string, ...words: string[]): Promise<Ran> {
  const ran = await run(home.folder, name, words, { broken: home.broken });
  runs.push(ran);
  return ran;
}
async function must(name: string, ...words: string[]): Promise<Ran> {
  const ran = await task(name, ...words);
  expect(ran.code, ran.stderr).toBe(0);
  return ran;
}
const repo = (...path: string[]) => join(layoutOf(home.folder).repo, ...path);
function edit(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(repo(file), "utf8");
  expect(text).toMatch(from);
  writeFileSync(repo(file), text.replace(from, to));
}
/** Objects as kubectl prints them; undefined for one that is missing. */
function get(kind: string, name: string, namespace: string): any {
  const words = ["get", kind, name, "--namespace", namespace, "--ignore-not-found", "--output", "json"];
  const { stdout } = spawnSync(join(layoutOf(home.folder).bin, "kubectl"), words, { env: environmentOf(home.folder), encoding: "utf8" });
  return stdout.trim() ? JSON.parse(stdout) : undefined;
}
const KUSTOMIZATION = "kustomizations.kustomize.toolkit.fluxcd.io";
const RELEASE = "helmreleases.helm.toolkit.fluxcd.io";
const head = () => spawnSync("git", ["-C", repo(), "rev-parse", "HEAD"], { encoding: "utf8" }).stdout.trim();
const idsOf = (object: any): string[] => object.status.inventory.entries.map(({ id }: { id: string }) => id);

beforeAll(async () => void (home = await startHome({ project: process.cwd() })), HAUL);
afterAll(() => home?.close());

describe("stage by stage", () => {
  test.each([
    "secrets:init",
    "secrets:check",
    "talos:talosconfig",
    "talos:prepare-iso",
    "vm:deploy",
    "bootstrap:preflight",
    "bootstrap:configs",
    "bootstrap:etcd",
    "bootstrap:kubeconfig",
    "bootstrap:nodes",
    "bootstrap:resources",
    "bootstrap:crds",
    "bootstrap:apps",
    "bootstrap:flux",
  ])(
    "%s",
    async (name) => {
      if (name === "secrets:check") await askHome(home.folder, "person");
      await must(name, "--yes");
      const again = await must(name, "--dry-run");
      expect(again.stderr).not.toContain("dry run: nothing was changed"); // nothing is left to do
    },
    HAUL,
  );
  test("ends with everything ready", async () => expect((await finalState(home.folder)).flux).toMatch(/^(\d+)\/\1$/));
  test(
    "needs no remote once Flux is at what was pushed; a commit that it does not have needs one",
    async () => {
      const { remotes } = layoutOf(home.folder);
      renameSync(remotes, `${remotes}-away`);
      try {
        expect((await must("bootstrap", "--dry-run")).stderr).toMatch(/git +unknown +the remote cannot be reached/);
        await must("bootstrap:flux", "--dry-run");
        edit("kubernetes/apps/selfhosted/echo/ks.yaml", /^/, "# a change\n");
        const changed = await task("bootstrap", "--dry-run");
        expect([changed.code, changed.stderr]).toEqual([
          1,
          expect.stringContaining("kubernetes/apps/selfhosted/echo/ks.yaml: not committed"),
        ]);
      } finally {
        renameSync(`${remotes}-away`, remotes);
        spawnSync("git", ["-C", repo(), "checkout", "--quiet", "."]);
      }
    },
    HAUL,
  );
});

describe("what Flux says of itself", () => {
  test("the source is at the pushed commit", () => {
    const source = get("gitrepositories.source.toolkit.fluxcd.io", "flux-system", "flux-system");
    expect(source.status.artifact.revision).toBe(`${source.spec.ref.name}@sha1:${head()}`);
  });
  test("a Kustomization lists what it applied", () => {
    expect(get(KUSTOMIZATION, "echo", "selfhosted").status.inventory.entries).toEqual([
      { id: "selfhosted_echo_helm.toolkit.fluxcd.io_HelmRelease", v: "v2" },
      { id: "selfhosted_echo_source.toolkit.fluxcd.io_OCIRepository", v: "v1" },
    ]);
    expect(idsOf(get(KUSTOMIZATION, "cluster-apps", "flux-system"))).toEqual(
      expect.arrayContaining(["_selfhosted__Namespace", "selfhosted_echo_kustomize.toolkit.fluxcd.io_Kustomization"]),
    );
  });
  test("a HelmRelease lists what its chart brought", () =>
    expect(idsOf(get(RELEASE, "echo", "selfhosted"))).toContain("selfhosted_echo_apps_Deployment"));
});

describe("an edit", () => {
  test(
    "that is not pushed is shown by flux:diff, refused by flux:sync",
    async () => {
      expect((await must("flux:diff", "--app", "echo")).stdout).toContain("no changes");
      edit("kubernetes/apps/selfhosted/echo/app/helmrelease.yaml", "memory: 128Mi", "memory: 256Mi");
      expect((await must("flux:render", "--app", "echo")).stdout).toContain("memory: 256Mi");
      const differs = await task("flux:diff", "--app", "echo", "--exit-code");
      expect([differs.code, differs.stdout]).toEqual([2, expect.stringMatching(/^-.*128Mi\n\+.*256Mi$/m)]);
      const refused = await task("flux:sync", "--yes");
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("helmrelease.yaml: not committed")]);
    },
    HAUL,
  );
  test(
    "is tried with flux:apply",
    async () => {
      await must("flux:apply", "--app", "echo", "--dry-run");
      expect(JSON.stringify(get(RELEASE, "echo", "selfhosted").spec)).toContain("128Mi");
      await must("flux:apply", "--app", "echo", "--yes");
      expect(JSON.stringify(get(RELEASE, "echo", "selfhosted").spec)).toContain("256Mi");
    },
    HAUL,
  );
  test(
    "that is pushed is applied by flux:sync, at that revision",
    async () => {
      const pushed = commitAndPush(home.folder, "feat(echo): more memory");
      expect((await must("flux:sync", "--dry-run")).stderr).toContain("dry run: nothing was changed");
      expect((await must("flux:sync", "--yes")).stderr).toContain(`Flux applied ${pushed.slice(0, 12)}`);
      expect(get(KUSTOMIZATION, "echo", "selfhosted").status.lastAppliedRevision).toBe(`refs/heads/main@sha1:${pushed}`);
      expect((await must("flux:diff", "--app", "echo")).stdout).toContain("no changes");
    },
    HAUL,
  );
});

describe("an application", () => {
  const gone = (name: string, namespace: string) =>
    [get("deployments.apps", name, namespace), get(RELEASE, name, namespace), get(KUSTOMIZATION, name, namespace)].map(
      (one) => one !== undefined,
    );

  test(
    "that left Git is pruned with its Kustomization, its release and its Deployment",
    async () => {
      edit("kubernetes/apps/selfhosted/kustomization.yaml", "  - ./it-tools/ks.yaml\n", "");
      rmSync(repo("kubernetes/apps/selfhosted/it-tools"), { recursive: true });
      commitAndPush(home.folder, "feat: no more it-tools");
      await must("flux:sync", "--yes");
      await askHome(home.folder, "settle");
      expect(gone("it-tools", "selfhosted")).toEqual([false, false, false]);
      expect(idsOf(get(KUSTOMIZATION, "cluster-apps", "flux-system")).filter((id) => id.includes("it-tools"))).toEqual([]);
    },
    HAUL,
  );
  test(
    "is shown by flux:delete with all that goes, and goes only by its name",
    async () => {
      const shown = await must("flux:delete", "--app", "echo", "--dry-run");
      for (const what of ["HelmRelease selfhosted/echo", "OCIRepository selfhosted/echo", "Deployment selfhosted/echo of HelmRelease"])
        expect(shown.stderr).toContain(what);
      expect((await task("flux:delete", "--app", "echo", "--yes")).code).not.toBe(0);
      expect(gone("echo", "selfhosted")).toEqual([true, true, true]);
      await must("flux:delete", "--app", "echo", "--yes", "--confirm", "echo");
      expect(gone("echo", "selfhosted")).toEqual([false, false, true]); // its Kustomization is suspended
      expect(get(KUSTOMIZATION, "echo", "selfhosted").spec.suspend).toBe(true);
    },
    HAUL,
  );
  test(
    "comes back when what was suspended is resumed",
    async () => {
      expect((await must("leftovers")).stdout).toMatch(/selfhosted\/echo .* on purpose/);
      expect((await task("leftovers", "--undo", "--yes")).code).toBe(1); // left on purpose: only by its name
      await must("leftovers", "--undo", "--yes", "--name", "selfhosted/echo");
      await must("flux:sync", "--yes");
      await askHome(home.folder, "settle");
      expect(gone("echo", "selfhosted")).toEqual([true, true, true]);
    },
    HAUL,
  );
});

describe("the Kopia repository", () => {
  test(
    "is recorded, and takes effect with configure, commit, push and sync",
    async () => {
      await must("volsync:identity", "--dry-run");
      expect(readFileSync(repo("talos/cluster.yaml"), "utf8")).not.toContain("kopiaRepository:");
      const said = await must("volsync:identity", "--yes");
      const id = /is ([0-9a-f]{8,})/.exec(said.stdout)?.[1];
      expect(readFileSync(repo("talos/cluster.yaml"), "utf8")).toContain(`kopiaRepository: "${id}"`);
      await must("configure", "--yes");
      commitAndPush(home.folder, "feat: record the Kopia repository");
      await must("flux:sync", "--yes");
    },
    HAUL,
  );
});

describe("procedures without a target in the cluster", () => {
  test(
    "lint reports every check, whatever the checkout looks like",
    async () => {
      const ran = await task("lint");
      const verdicts = [...ran.stderr.matchAll(/^(ok|failed|skipped): ([\w:]+)/gm)];
      expect(verdicts.map(([, , name]) => name)).toEqual(CHECKS.map(({ name }) => name));
      expect(ran.code).toBe(verdicts.some(([, state]) => state === "failed") ? 1 : 0);
    },
    HAUL,
  );
  test("menu", async () => expect((await must("menu")).stdout).toContain("task bootstrap"));
  test("lint:kubernetes", async () => expect((await must("lint:kubernetes")).stderr).toContain("the tree can start cold"), HAUL);
  test("lint:secrets", async () => expect((await must("lint:secrets")).stderr).toContain("no secret"));
  test("lint:cluster-schema", async () => {
    const files = ["talos/cluster.schema.json", "kubernetes/secret-sources.schema.json"];
    for (const file of files) writeFileSync(repo(file), "{}\n");
    await must("lint:cluster-schema", "--yes");
    for (const file of files) expect(readFileSync(repo(file), "utf8")).toBe(readFileSync(file, "utf8"));
  });
  test("lint:commit-message", async () => {
    const file = join(layoutOf(home.folder).tmp, "message");
    writeFileSync(file, "feat: a thing\n");
    await must("lint:commit-message", "--file", file);
    writeFileSync(file, "A thing\n");
    expect((await task("lint:commit-message", "--file", file)).code).toBe(1);
  });
});

test("no secret was seen where it does not belong, nothing left this machine", async () => {
  expect(await violationsOf(home.folder, runs)).toEqual([]);
  expect(existsSync(join(home.folder, "refused.ndjson"))).toBe(false);
});
