// talos:talosconfig: derived from the vault by way of pipes, renewed in time, never over another cluster's.
import { readFileSync, statSync } from "node:fs";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { bundleFromFields, fieldsFromBundle, TALOS_FIELDS } from "../../../scripts/lib/secrets/talos-bundle.ts";
import { dueInDays, expiryOf, faultOfTalosconfig, withContext } from "../../../scripts/lib/talos/talosconfig.ts";
import { talosconfig } from "../../../scripts/talos/talosconfig.ts";
import { type Answer, record, type RecordSetup } from "../recorder.ts";
import { testCluster } from "../test-cluster.ts";
import { ADDRESSES, folderWith, newAuthority, secrets, TALOS_CA, talosconfigOf } from "./home.ts";
import { whenPresentNow } from "../../../scripts/lib/run/files.ts";

const DERIVE =
  "cat | talosctl gen config home-ops-cluster https://192.168.120.100:6443 --with-secrets /dev/stdin --output-types talosconfig --output -";
/** As talosctl prints it: without endpoints. */
const made = (days = 365) => talosconfigOf({ endpoints: [], days });

async function run(held: string | undefined, answer: Answer = made(), setup: RecordSetup = {}) {
  const { env } = folderWith(held === undefined ? {} : { talosconfig: held });
  const lab = await record({ env, secrets, answers: { [DERIVE]: answer }, ...setup });
  const error = (await lab.run(talosconfig, {})) as Error | undefined;
  const file = env.TALOSCONFIG;
  return {
    ...lab,
    error,
    file,
    text: whenPresentNow(() => readFileSync(file, "utf8")),
    said: lab.said.map((line) => line.replaceAll(file, "T")),
    plans: JSON.parse(JSON.stringify(lab.plans).replaceAll(file, "T")),
  };
}

describe("where there is none", () => {
  test("one is derived, by way of pipes alone, and leads to the nodes' own addresses", async () => {
    const { commands, stdin, said, plans, file, text } = await run(undefined);
    expect(commands).toEqual([`ask ${DERIVE}`]);
    expect(parse(stdin[DERIVE]!)).toMatchObject({
      cluster: { id: "value of op://Infrastructure/talos/CLUSTER_ID" },
      certs: { os: { crt: TALOS_CA } },
    });
    expect(plans).toEqual([
      {
        title: "talos:talosconfig: there is none",
        lines: ["write T (mode 0600): administrator of home-ops-cluster, at 192.168.122.10, 192.168.122.11, 192.168.122.12"],
      },
    ]);
    expect(parse(text!)).toMatchObject({
      context: "home-ops-cluster",
      contexts: { "home-ops-cluster": { endpoints: ADDRESSES, nodes: ADDRESSES, ca: TALOS_CA } },
    });
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
    expect(said).toEqual(["T is good for 364 days"]);
  });
  test("a dry run asks the vault, runs nothing and writes nothing", async () =>
    expect(await run(undefined, made(), { dryRun: true })).toMatchObject({ commands: [], text: undefined }));
  test("what talosctl refuses is told", async () => {
    const { error, text } = await run(undefined, { err: "failed to load secrets bundle: illegal base64", code: 1 });
    expect([error!.message, text]).toEqual([
      "could not derive the talosconfig\n  said: failed to load secrets bundle: illegal base64\n  now:  nothing was changed\n  next: task secrets:check",
      undefined,
    ]);
  });
  test("what talosctl makes of another authority is not believed", async () =>
    expect((await run(undefined, talosconfigOf({ ca: newAuthority("x") }))).error!.message).toMatch(
      /^could not write a good .*\n {2}said: it is for a cluster with another authority/,
    ));
});

describe("where there is one", () => {
  test("that is good it is left alone, without a question", async () =>
    expect(await run(talosconfigOf())).toMatchObject({ commands: [], plans: [], said: ["T is good for 364 days"] }));
  test.each([
    ["that lasts less than 30 days", talosconfigOf({ days: 20 }), /^talos:talosconfig: its certificate expires in (19|20) days$/],
    ["that has expired", talosconfigOf({ days: -1 }), /^talos:talosconfig: its certificate has expired$/],
    ["that does not name a node", talosconfigOf({ endpoints: ADDRESSES.slice(1) }), /^talos:talosconfig: it does not name k8s-0$/],
    [
      "that names the VIP",
      talosconfigOf({ endpoints: [...ADDRESSES, "192.168.120.100"] }),
      /^talos:talosconfig: it names 192\.168\.120\.100, which no node has$/,
    ],
    ["that is empty", 'context: ""\ncontexts: {}\n', /^talos:talosconfig: it is empty$/],
  ])("%s it is renewed", async (_, held, title) => {
    const { plans, said } = await run(held);
    expect([plans[0].title, said]).toEqual([expect.stringMatching(title), ["T is good for 364 days"]]);
  });
  test("of another cluster it is left alone", async () => {
    const theirs = talosconfigOf({ ca: newAuthority("theirs") });
    const { error, text, file } = await run(theirs);
    expect(text).toBe(theirs);
    expect(error!.message.replaceAll(file, "T")).toBe(
      "could not write T\n  said: it is for a cluster with another authority than home-ops-cluster's in the vault\n  now:  it was left as it is\n  next: move it away or set TALOSCONFIG, then: task talos:talosconfig",
    );
  });
  test("its other contexts stay when ours is renewed", async () => {
    const held = parse(talosconfigOf({ days: 5 })) as { contexts: Record<string, unknown> };
    held.contexts.office = { endpoints: ["192.0.2.1"], ca: "a", crt: "b", key: "c" };
    const { text } = await run(JSON.stringify(held));
    expect(parse(text!)).toMatchObject({
      context: "home-ops-cluster",
      contexts: { office: { endpoints: ["192.0.2.1"] }, "home-ops-cluster": { endpoints: ADDRESSES } },
    });
  });
});

describe("a certificate's end", () => {
  test("is read from the talosconfig", async () =>
    expect(dueInDays(await expiryOf(talosconfigOf({ days: 100 })), Date.now())).toBeOneOf([99, 100]));
  test("of none is now", async () => expect(dueInDays(await expiryOf(""), Date.now())).toBe(0));
  test("long past is no negative number", async () => expect(dueInDays(0, Date.now())).toBe(0));
  test("blanks in the authority do not matter", async () =>
    expect(
      await faultOfTalosconfig(talosconfigOf(), testCluster(), `${TALOS_CA.slice(0, 20)}\n  ${TALOS_CA.slice(20)}\n`, Date.now()),
    ).toBeUndefined());
});

describe("a text that is no talosconfig", () => {
  test.each(["<html>502</html>", "a: b: c", "- a", "context: [", "5"])("%j in the file is left as it is", async (text) =>
    expect(await faultOfTalosconfig(text, testCluster(), TALOS_CA, Date.now())).toEqual({ says: "it is not a talosconfig", foreign: true }),
  );
  test.each([
    ["nothing", "", "it holds no certificate"],
    ["an HTML page", "<html>502</html>", "it is not a YAML map"],
    ["another document", "kind: Status\n", "it holds no certificate"],
    ["a part of it", talosconfigOf().slice(0, 90), "it holds no certificate"],
  ])("%s from talosctl is not written", async (_what, made, said) => {
    const message = await withContext(undefined, made, ADDRESSES).catch((error: unknown) => (error as Error).message);
    expect(message).toBe(`could not read the output of \`talosctl gen config\`: ${said}`);
  });
});

describe("the secrets bundle", () => {
  test("is the same after the way through the vault", async () => {
    const fields = Object.fromEntries(TALOS_FIELDS.map((field) => [field, `of ${field}`]));
    expect(await fieldsFromBundle(await bundleFromFields((field) => fields[field]!))).toEqual(fields);
  });
  test("has Talos' own form", async () =>
    expect(parse(await bundleFromFields((field) => field))).toEqual({
      cluster: { id: "CLUSTER_ID", secret: "CLUSTER_SECRET" },
      secrets: { bootstraptoken: "CLUSTER_TOKEN", secretboxencryptionsecret: "CLUSTER_SECRETBOXENCRYPTIONSECRET" },
      trustdinfo: { token: "MACHINE_TOKEN" },
      certs: {
        os: { crt: "MACHINE_CA_CRT", key: "MACHINE_CA_KEY" },
        k8s: { crt: "CLUSTER_CA_CRT", key: "CLUSTER_CA_KEY" },
        k8saggregator: { crt: "CLUSTER_AGGREGATORCA_CRT", key: "CLUSTER_AGGREGATORCA_KEY" },
        etcd: { crt: "CLUSTER_ETCD_CA_CRT", key: "CLUSTER_ETCD_CA_KEY" },
        k8sserviceaccount: { key: "CLUSTER_SERVICEACCOUNT_KEY" },
      },
    }));
  test.each(["true", "0123", "a: b", "1:30"])("holds the value %j as a text", async (value) =>
    expect(await fieldsFromBundle(await bundleFromFields(() => value))).toMatchObject({ CLUSTER_SECRET: value }),
  );
  test("that lacks something says what", async () =>
    await expect(fieldsFromBundle("cluster: {id: a, secret: b}\n")).rejects.toThrow(
      "`talosctl gen secrets`: .secrets.bootstraptoken is missing",
    ));
});
