// What keeps versions fresh and secrets closed: Renovate finds every version, workflows run what is pinned, SOPS encrypts what it should.
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { MAP_FILE } from "../../../scripts/lib/tree/settings-map.ts";
import { type Any, documentsOf, exists, filesUnder, read } from "./tree.ts";

describe(".renovaterc.json5", () => {
  const config = runInNewContext(`(${read(".renovaterc.json5")})`) as Any; // JSON5 is JavaScript
  const [manager] = config.customManagers;
  const reads = (file: string) => (manager.managerFilePatterns as string[]).some((pattern) => new RegExp(pattern.slice(1, -1)).test(file));
  const found = (text: string) =>
    [...text.matchAll(new RegExp(manager.matchStrings[0], "g"))].map(({ groups }) => `${groups!.depName} ${groups!.currentValue}`);

  it.each(["versions.env", MAP_FILE])("finds every annotated version of %s, with its own value", (file) => {
    const text = read(file);
    expect(reads(file)).toBe(true);
    expect(found(text)).toHaveLength(text.match(/# renovate:/g)!.length);
    expect(found(text).length).toBeGreaterThan(0);
  });

  it("raises the versions of the platform in the settings and in versions.env by one name: both change in one pull request", () => {
    const platform = found(read("versions.env"));
    for (const one of found(read(MAP_FILE))) expect(platform).toContain(one);
  });

  it.each([
    ["# renovate: datasource=github-releases depName=siderolabs/talos\nTALOS_VERSION=v1.13.9\n", ["siderolabs/talos v1.13.9"]],
    ['  # renovate: datasource=docker depName=x/y versioning=loose\n  version: "1.2"\n', ["x/y 1.2"]],
    ["version: 1.2.3\n", []],
  ])("reads %j", (text, versions) => {
    expect(found(text)).toEqual(versions);
  });

  it("reads versions.env, and charts where they stand", () => {
    expect([reads("versions.env"), reads("talos/schematic.yaml"), reads("scripts/x.yaml")]).toEqual([true, true, false]);
    const charts = new RegExp((config.flux.managerFilePatterns[0] as string).slice(1, -1));
    expect(charts.test("kubernetes/apps/kube-system/cilium/app/ocirepository.yaml")).toBe(true);
  });

  it("watches Talos' releases: no installer image is published from 1.14 on", () => {
    expect(found(read("versions.env"))).toContainEqual(expect.stringMatching(/^siderolabs\/talos v/));
    const rules = config.packageRules as Any[];
    const at = (wanted: (rule: Any) => boolean) => rules.findIndex(wanted);
    const talos = at(({ groupName }) => groupName === "talos");
    expect(rules[talos].matchPackageNames).toContain("siderolabs/talos");
    expect(talos).toBeGreaterThan(at(({ groupName }) => groupName === "tools")); // talosctl moves with Talos
    expect(rules.find(({ addLabels }) => addLabels?.includes("foundation"))!.matchPackageNames).toContain("siderolabs/talos");
  });

  it("merges nothing by itself that the cluster stands on", () => {
    const automerged = (config.packageRules as Any[]).filter(({ automerge }) => automerge === true);
    expect(automerged.map(({ matchManagers }) => matchManagers)).toEqual([["github-actions"], ["npm"]]);
  });

  it("never merges an action by itself that runs in a job with a secret", () => {
    const rules = (config.packageRules as Any[]).filter(({ matchManagers }) => matchManagers?.includes("github-actions"));
    const merges = (action: string) =>
      rules.filter(({ matchPackageNames: names, automerge }) => automerge !== undefined && (!names || names.includes(action))).at(-1)!
        .automerge;
    const jobs = filesUnder(".github/workflows").flatMap((file) => Object.values(documentsOf(file)[0]!.object.jobs as Record<string, Any>));
    const withSecret = jobs.filter((job) => JSON.stringify(job).includes("${{ secrets."));
    const actions = withSecret.flatMap(({ steps }) => (steps as Any[]).flatMap(({ uses }) => (uses ? [String(uses).split("@")[0]!] : [])));
    expect(actions.sort()).toEqual(["actions/create-github-app-token", "renovatebot/github-action"]);
    expect(actions.map(merges)).toEqual([false, false]);
    expect(merges("actions/checkout")).toBe(true);
  });
});

describe("workflows", () => {
  it.each(filesUnder(".github/workflows"))("%s runs pinned actions, with read rights and a deadline", (file) => {
    const [workflow] = documentsOf(file);
    expect(workflow!.object.permissions).toEqual({ contents: "read" });
    for (const job of Object.values(workflow!.object.jobs as Record<string, Any>)) expect(job["timeout-minutes"]).toBeGreaterThan(0);
    for (const [, action, version] of read(file).matchAll(/uses: (\S+)(.*)/g))
      expect(`${action}${version}`).toMatch(/^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });
});

describe("the nightly workflow", () => {
  const { part } = documentsOf(".github/workflows/nightly.yaml")[0]!.object.jobs;

  it("runs every part that .ci/nightly has, and no other", () => {
    const parts = [...read(".ci/nightly").matchAll(/^([a-z-]+)\) ?/gm)].map(([, name]) => name!);
    expect([...part.strategy.matrix.part].sort()).toEqual(parts.sort());
  });

  it("gives each part more time than its rehearsal has", () => {
    for (const [, minutes] of read(".ci/nightly").matchAll(/--minutes (\d+)/g))
      expect(Number(minutes)).toBeLessThan(part["timeout-minutes"]);
  });
});

it("the gate gives everything without a natural end so many minutes that the whole fits into 40", () => {
  const minutes = [...read(".ci/run").matchAll(/--minutes (\d+)/g)].map(([, text]) => Number(text));
  expect(minutes.length).toBe(read(".ci/run").match(/--(fault|interrupt)\b/g)!.length);
  expect(minutes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(10);
});

describe("the jobs that a branch rule requires", () => {
  const success = filesUnder(".github/workflows").flatMap((file) => {
    const { jobs } = documentsOf(file)[0]!.object as { jobs: Record<string, Any> };
    return jobs.success ? [{ file, job: jobs.success, others: Object.keys(jobs).filter((name) => name !== "success") }] : [];
  });

  it("exist in every workflow that decides about a pull request", () =>
    expect(success.map(({ file }) => file.split("/").at(-1)).sort()).toEqual(["kubernetes.yaml", "test.yaml"]));

  it.each(success)("of $file fail when any other job failed or was cancelled", ({ job, others }) => {
    expect([...job.needs].sort()).toEqual(others.sort());
    expect(job.if).toBe("${{ always() }}");
    expect(job.steps).toEqual([
      expect.objectContaining({
        if: "${{ contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled') }}",
        run: "exit 1",
      }),
    ]);
  });

  it("no step pipes what may fail into something without pipefail", () => {
    const steps = filesUnder(".github/workflows").flatMap((file) =>
      Object.values(documentsOf(file)[0]!.object.jobs as Record<string, Any>).flatMap(({ steps }) => steps as Any[]),
    );
    const unsafe = steps.filter(({ run = "", shell }) => /[^|]\|[^|]/.test(run) && shell !== "bash");
    expect(unsafe).toEqual([]);
  });

  it("labels that a fork made itself are kept", () =>
    expect(read(".github/workflows/labels.yaml")).toContain("delete-other-labels: false"));
});

it("every package with an install script is decided, so that npm ci prints no warning", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, { hasInstallScript?: boolean }> };
  const scripts = Object.entries(packages).flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript ? [path.split("node_modules/").at(-1)!] : [],
  );
  const { allowScripts } = JSON.parse(read("package.json")) as { allowScripts: Record<string, boolean> };
  expect(Object.keys(allowScripts).sort()).toEqual(scripts.sort());
});

describe(".sops.yaml", () => {
  const rules = documentsOf(".sops.yaml")[0]!.object.creation_rules as Any[];
  const ruleOf = (file: string) => rules.find(({ path_regex }) => new RegExp(path_regex).test(file));

  it("closes only the values of a Secret in the tree, and all of a file under talos/", () => {
    expect(ruleOf("kubernetes/apps/default/x/app/secret.sops.yaml").encrypted_regex).toBe("^(data|stringData)$");
    expect(ruleOf("bootstrap/x.sops.yml").encrypted_regex).toBe("^(data|stringData)$");
    expect(ruleOf("talos/secrets.sops.yaml").encrypted_regex).toBeUndefined();
    expect(ruleOf("kubernetes/apps/default/x/app/helmrelease.yaml")).toBeUndefined();
  });

  it("is one recipient's", () => {
    expect(new Set(rules.map(({ age }) => age)).size).toBe(1);
  });
});

it("no file in Git is named as encrypted and is not", () => {
  for (const file of [...filesUnder("kubernetes"), ...filesUnder("bootstrap")].filter((one) => /\.sops\.ya?ml$/.test(one)))
    expect(read(file), file).toContain("\nsops:\n");
  expect(exists(".sops.yaml")).toBe(true);
});
