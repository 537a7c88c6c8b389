// talos:kubeconfig: from the first control plane that gives one, proven to be ours, into the vault only when asked.
import { readFileSync, statSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { redact } from "../../../scripts/lib/run/redact.ts";
import { kubeconfig } from "../../../scripts/talos/kubeconfig.ts";
import { type Answers, record, type RecordSetup } from "../recorder.ts";
import { folderWith, kubeconfigOf, newAuthority, NO_ROUTE, secrets, talosconfigOf } from "./home.ts";
import { whenPresentNow } from "../../../scripts/lib/run/files.ts";

interface Item {
  id: string;
  title: string;
  fields: { id?: string; label: string; value: string; type?: string }[];
}
/** What the vault holds at each look; the last state stays. */
const vault = vi.hoisted(() => ({ states: [[]] as Item[][], now: [] as Item[] }));
vi.mock("../../../scripts/lib/secrets/op.ts", () => ({
  listItems: async () => (vault.now = vault.states.length > 1 ? vault.states.shift()! : vault.states[0]!),
  getItem: async ({ id }: Item) => vault.now.find((item) => item.id === id),
}));

const GIVEN = kubeconfigOf();
const fetching = (i: number) =>
  `talosctl --talosconfig T --endpoints 192.168.122.1${i} --nodes 192.168.122.1${i} kubeconfig - --merge=false`;

async function run({
  held,
  answers = { [fetching(0)]: GIVEN },
  upload = false,
  setup = {},
}: {
  held?: string;
  answers?: Answers;
  upload?: boolean;
  setup?: RecordSetup;
}) {
  const { env } = folderWith({ talosconfig: talosconfigOf(), ...(held !== undefined && { kubeconfig: held }) });
  const named = Object.fromEntries(Object.entries(answers).map(([line, answer]) => [line.replace(" T ", ` ${env.TALOSCONFIG} `), answer]));
  const lab = await record({ env, secrets, answers: named, ...setup });
  const error = (await lab.run(kubeconfig, { upload })) as Error | undefined;
  const plain = (text: string) => text.replaceAll(env.TALOSCONFIG, "T").replaceAll(env.KUBECONFIG, "K");
  const file = env.KUBECONFIG;
  return {
    error: error && plain(error.message),
    commands: lab.commands.map(plain),
    said: lab.said.map(plain),
    lines: lab.plans.flatMap(({ lines }) => lines.map(plain)),
    stdin: lab.stdin,
    text: whenPresentNow(() => readFileSync(file, "utf8")),
    mode: whenPresentNow(() => statSync(file).mode & 0o777),
  };
}

describe("where there is none", () => {
  test("it is fetched, proven and written for its owner alone", async () => {
    const { commands, lines, said, text, mode } = await run({});
    expect([commands, lines, said, mode]).toEqual([
      [`ask ${fetching(0)}`],
      ["write K (mode 0600)"],
      ["K leads to https://192.168.120.100:6443"],
      0o600,
    ]);
    expect(text).toBe(GIVEN);
  });
  test("a dry run writes nothing", async () => expect(await run({ setup: { dryRun: true } })).toMatchObject({ text: undefined }));
  test("its key is hidden from then on", async () => {
    await run({});
    expect(redact(/client-key-data: (\S+)/.exec(GIVEN)![1]!)).toBe("********");
  });
  test("the next control plane is asked when one does not answer", async () =>
    expect(await run({ answers: { [fetching(0)]: NO_ROUTE, [fetching(1)]: GIVEN } })).toMatchObject({
      commands: [`ask ${fetching(0)}`, `ask ${fetching(1)}`],
      text: GIVEN,
    }));
  test("none gives one", async () =>
    expect(
      (
        await run({
          answers: {
            [fetching(0)]: NO_ROUTE,
            [fetching(1)]: NO_ROUTE,
            [fetching(2)]: {
              err: "error copying: rpc error: code = Unimplemented desc = kubeconfig is only available on control plane nodes",
              code: 1,
            },
          },
        })
      ).error,
    ).toBe(
      "could not fetch the kubeconfig\n  said: k8s-0: dial tcp 192.168.122.10:50000: connect: no route to host\n        k8s-1: dial tcp 192.168.122.10:50000: connect: no route to host\n        k8s-2: kubeconfig is only available on control plane nodes\n  next: task talos:status",
    ));
  test.each([
    [
      "that leads elsewhere",
      kubeconfigOf({ server: "https://192.0.2.1:6443" }),
      "its server is https://192.0.2.1:6443, talos/cluster.yaml says https://192.168.120.100:6443",
    ],
    ["of another authority", kubeconfigOf({ ca: newAuthority("x") }), "it trusts another authority than home-ops-cluster's in the vault"],
  ])("one %s is not taken", async (_, given, why) => {
    const { error, text } = await run({ answers: { [fetching(0)]: given, [fetching(1)]: NO_ROUTE, [fetching(2)]: NO_ROUTE } });
    expect([error!.split("\n")[1], text]).toEqual([`  said: k8s-0 gave a kubeconfig of another cluster: ${why}`, undefined]);
  });
});

describe("where there is one", () => {
  test("that is good it is left alone", async () =>
    expect(await run({ held: GIVEN })).toMatchObject({
      commands: [],
      lines: [],
      said: ["K leads to https://192.168.120.100:6443 and is good for 364 days"],
    }));
  test("whose certificate ends soon it is fetched anew", async () =>
    expect(await run({ held: kubeconfigOf({ days: 10 }) })).toMatchObject({ text: GIVEN }));
  test("an empty file is as none", async () => expect(await run({ held: "\n" })).toMatchObject({ text: GIVEN }));
  test.each([
    ["of another cluster", kubeconfigOf({ ca: newAuthority("x") }), "it trusts another authority than home-ops-cluster's in the vault"],
    [
      "that leads to other clusters too",
      kubeconfigOf({ days: 5, others: ["office"] }),
      "it also leads to other clusters: contexts admin@home-ops-cluster, office",
    ],
  ])("%s it is left alone", async (_, held, why) => {
    const { error, text, commands } = await run({ held });
    expect([error, text, commands]).toEqual([
      `could not write K\n  said: ${why}\n  now:  it was left as it is\n  next: move it away or set KUBECONFIG, then: task talos:kubeconfig`,
      held,
      [],
    ]);
  });
});

describe("UPLOAD=1", () => {
  const CREATE = "cat | op item create - --vault Infrastructure --format=json";
  const EDIT = "cat | op item edit abc --vault Infrastructure --format=json";
  const item = (...fields: Item["fields"]): Item => ({ id: "abc", title: "kubeconfig", fields });
  const FIELD = { label: "kubeconfig", value: GIVEN };

  test("makes the item where there is none, with the value on stdin", async () => {
    vault.states = [[], [item(FIELD)]];
    const { commands, stdin, lines, said, error } = await run({ held: GIVEN, upload: true, answers: { [CREATE]: "" } });
    expect([commands, said, error]).toEqual([
      [`act ${CREATE}`],
      ["K leads to https://192.168.120.100:6443, and is in vault Infrastructure"],
      undefined,
    ]);
    expect(lines).toEqual(["store it in vault Infrastructure, item kubeconfig"]);
    expect(JSON.parse(stdin[CREATE]!)).toMatchObject({
      title: "kubeconfig",
      fields: [{ label: "kubeconfig", type: "CONCEALED", value: GIVEN }],
    });
  });
  test("replaces the field where there is one, and leaves the item's others as they are", async () => {
    vault.states = [
      [item({ label: "note", value: "mine" }, { label: "kubeconfig", value: "old" })],
      [item({ label: "note", value: "mine" }, FIELD)],
    ];
    const { stdin, lines, commands } = await run({ held: GIVEN, upload: true, answers: { [EDIT]: "" } });
    expect(commands).toEqual([`act ${EDIT}`]);
    expect(lines).toEqual(["store it in vault Infrastructure, item kubeconfig, in place of the one there"]);
    expect(JSON.parse(stdin[EDIT]!).fields).toEqual([
      { label: "note", value: "mine" },
      expect.objectContaining({ label: "kubeconfig", value: GIVEN }),
    ]);
  });
  test("asks nothing when the vault holds it already", async () => {
    vault.states = [[item(FIELD)]];
    expect(await run({ held: GIVEN, upload: true })).toMatchObject({
      commands: [],
      lines: [],
      said: ["K is good for 364 days and is in vault Infrastructure"],
    });
  });
  test("that does not arrive is a failure", async () => {
    vault.states = [[]];
    expect((await run({ held: GIVEN, upload: true, answers: { [CREATE]: "" } })).error).toBe(
      "could not store the kubeconfig in the vault\n  said: the vault does not hold what was sent\n  next: task talos:kubeconfig UPLOAD=1",
    );
  });
});
