// Every command to a node proves first that $TALOSCONFIG is this cluster's: in the source, and with another cluster's in every procedure.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configs } from "../../../scripts/bootstrap/configs.ts";
import { etcd } from "../../../scripts/bootstrap/etcd.ts";
import { lookAtNodes } from "../../../scripts/bootstrap/preflight.ts";
import { Failure } from "../../../scripts/lib/run/errors.ts";
import type { Options, Values } from "../../../scripts/lib/run/options.ts";
import { stageOf } from "../../../scripts/lib/talos/node.ts";
import { apply } from "../../../scripts/talos/apply.ts";
import { diff } from "../../../scripts/talos/diff.ts";
import { kubeconfig } from "../../../scripts/talos/kubeconfig.ts";
import { status } from "../../../scripts/talos/status.ts";
import { type Answer, record } from "../recorder.ts";
import { folderWith, newAuthority, NO_ROUTE, RUNNING, secrets, talosconfigOf, withCertificate } from "./home.ts";
import type { Procedure } from "../../../scripts/lib/run/spec.ts";

test("no talosctl command reaches a node without talosArgs() or insecureTalosArgs()", () => {
  const files = readdirSync("scripts", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const found = files.flatMap((file) =>
    [...readFileSync(join("scripts", file), "utf8").matchAll(/`(?:cat \| )?(talosctl \S.*?)`\.(?:nothrow|text)/g)].map(
      ([, command]) => command!,
    ),
  );
  expect(found.length).toBeGreaterThan(12);
  const local = /^talosctl (version --client|validate|gen )/;
  const proven = /^talosctl (apply-config )?\$\{(await talosArgs\(|insecureTalosArgs\()/;
  expect(found.filter((command) => !local.test(command) && !proven.test(command))).toEqual([
    "talosctl apply-config ${how} --file /dev/stdin", // either of the two, in talos:apply
  ]);
});

const theirs = talosconfigOf({ ca: newAuthority("theirs") });

describe("with another cluster's talosconfig", () => {
  const procedures = [
    ["talos:apply", apply, { node: undefined, mode: "auto" }],
    ["talos:diff", diff, { node: undefined }],
    ["talos:status", status, {}],
    ["talos:kubeconfig", kubeconfig, { upload: false }],
    ["bootstrap:configs", configs, {}],
    ["bootstrap:etcd", etcd, {}],
  ] as unknown as [string, Procedure<Options>, Values<Options>][];
  test.each(procedures)("%s asks no node anything", async (_name, spec, values) => {
    const lab = await record({ env: folderWith({ talosconfig: theirs }).env, secrets });
    const error = (await lab.run(spec, values)) as Error;
    expect(error.message).toContain("it trusts another authority than home-ops-cluster's in the vault");
    expect(lab.commands).toEqual([]);
  });
  test("the preflight's check is bad, and asks no node anything", async () => {
    const lab = await record({ env: folderWith({ talosconfig: theirs }).env, secrets });
    await expect(lookAtNodes(lab.context)).rejects.toThrow("it trusts another authority");
    expect(lab.commands).toEqual([]);
  });
});

test("a talosconfig that is replaced while a procedure runs is noticed before the next command", async () => {
  const { env } = folderWith({ talosconfig: talosconfigOf() });
  const lab = await record({ env, secrets, answers: { [`${withCertificate(env.TALOSCONFIG, 0)} get machinestatus`]: RUNNING } });
  const [node] = lab.context.cluster.nodes;
  expect(await stageOf(lab.context, node!)).toMatchObject({ stage: "running" });
  writeFileSync(env.TALOSCONFIG, theirs);
  await expect(stageOf(lab.context, node!)).rejects.toThrow("it trusts another authority");
  expect(lab.commands).toHaveLength(1);
});

describe("the preflight's check of the nodes", () => {
  const look = async (vault: (ref: string) => string, third: Answer = RUNNING) => {
    const { env } = folderWith({ talosconfig: talosconfigOf() });
    const answers = Object.fromEntries(
      [RUNNING, RUNNING, third].map((answer, i) => [`${withCertificate(env.TALOSCONFIG, i)} get machinestatus`, answer]),
    );
    return lookAtNodes((await record({ env, secrets: vault, answers })).context);
  };
  test("is good when they are proven to be ours", async () =>
    expect(await look(secrets)).toEqual({ state: "ok", saw: "k8s-0 running, k8s-1 running, k8s-2 running" }));
  test("is unknown when the vault cannot tell whose they are, and says so", async () => {
    const noVault = () => {
      throw new Failure({ attempted: "resolve", said: "not signed in" });
    };
    expect(await look(noVault)).toEqual({
      state: "unknown",
      saw: "k8s-0 running, k8s-1 running, k8s-2 running\nwhether these are home-ops-cluster's nodes is unknown: not signed in",
    });
  });
  test("is unknown when one does not answer", async () =>
    expect(await look(secrets, NO_ROUTE)).toEqual({ state: "unknown", saw: "k8s-0 running, k8s-1 running, k8s-2 unreachable" }));
});
