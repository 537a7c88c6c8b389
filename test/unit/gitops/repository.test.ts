// What keeps versions fresh and secrets closed: Renovate finds every version, workflows run what is pinned, SOPS encrypts what it should.
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { MAP_FILE } from "../../../scripts/lib/gitops/settings-map.ts";
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
