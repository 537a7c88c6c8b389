// talos:apply and talos:diff: what is shown, exactly which commands, and what is only believed when the node says so.
import { describe, expect, test } from "vitest";
import { parseDocuments, printDocuments } from "../../../scripts/lib/text/yaml.ts";
import { renderNode } from "../../../scripts/lib/talos/render.ts";
import { apply } from "../../../scripts/talos/apply.ts";
import { readNodeConfigs } from "../../../scripts/lib/talos/node-config.ts";
import { sendConfig } from "../../../scripts/lib/talos/send-config.ts";
import { diff } from "../../../scripts/talos/diff.ts";
import { useClock } from "../../../scripts/lib/run/wait.ts";
import { useHandshake } from "../../../scripts/lib/talos/handshake.ts";
import { type Answer, type Answers, fingerprintOf, record, type Recording, type RecordSetup } from "../recorder.ts";
import {
  ADDRESSES,
  BOOTING,
  CERTIFICATE_REQUIRED,
  folderWith,
  links,
  machine,
  MAINTENANCE,
  newAuthority,
  NO_ROUTE,
  openly,
  REFUSED,
  RUNNING,
  secrets,
  talosconfigOf,
  UNKNOWN_AUTHORITY,
  volumes,
  withCertificate,
} from "./home.ts";

const { env } = folderWith({ talosconfig: talosconfigOf() });
const FILE = env.TALOSCONFIG;
const to = (i: number) => withCertificate(FILE, i);
const status = (i: number) => `${to(i)} get machinestatus`;
const statusOpenly = (i: number) => `${openly(FILE, i)} get machinestatus`;
/** Each machine has the NIC of its node and blank disks, and no cluster knows it. */
const machines = (): Answers => Object.assign({}, ...home.cluster.nodes.map(({ mac }, i) => machine(FILE, i, mac)));
const config = (i: number, id = "v1alpha1") => `${to(i)} get machineconfig ${id}`;
/** Runs with what it should, and has it on its disk. */
const holds = async (i: number) => ({ [config(i)]: await wanted(i), [config(i, "persistent")]: await wanted(i) });
const send = (i: number, mode = "auto") => `cat | talosctl apply-config ${to(i).replace("talosctl ", "")} --mode ${mode} --file /dev/stdin`;
/** A word as zx hands it to the shell. */
const asWord = (text: string) => (/^[\w./:=@-]+$/.test(text) ? text : `$'${text}'`);
const sendOpenly = (i: number) =>
  `cat | talosctl apply-config ${openly(FILE, i).replace("talosctl ", "")} --insecure --cert-fingerprint ${asWord(fingerprintOf(ADDRESSES[i]!))} --file /dev/stdin`;
const wouldSend = (i: number, mode = "auto") =>
  `cat | talosctl apply-config ${to(i).replace("talosctl ", "")} --mode ${mode} --dry-run --file /dev/stdin`;

/** What the i-th node should hold, and the same with other values in v1alpha1's machine. */
const wanted = async (i: number) => configs[i]!;
const { context: home } = await record({ secrets });
const configs = await Promise.all(home.cluster.nodes.map((node) => renderNode(home, node)));
async function other(i: number, change: (machine: any) => void): Promise<string> {
  const documents = (await parseDocuments(await wanted(i), "x")) as any[];
  change(documents[0].machine);
  return printDocuments(documents.toReversed()); // a node may give its documents in another order
}
const sysctl = (i: number) => other(i, (machine) => (machine.sysctls["vm.swappiness"] = "1"));
const file = (i: number) => other(i, (machine) => (machine.files[1].permissions = 0o600));

const bootId = (i: number) => `${to(i)} read /proc/sys/kernel/random/boot_id`;
/** Each node has another boot id when it is asked for the second time. */
const reboots = (): Answers => Object.fromEntries([0, 1, 2].map((i) => [bootId(i), ["first\n", "second\n"]]));
const run = async (
  answers: Answers,
  { node, mode = "auto" }: { node?: string[]; mode?: "auto" | "staged" | "no-reboot" | "reboot" | "try" } = {},
  setup: RecordSetup = {},
) => {
  const lab = await record({ env, secrets, answers: { ...machines(), ...reboots(), ...answers }, ...setup });
  let now = 0;
  useClock({ now: () => now, sleep: async () => void (now += 100_000) }); // deadlines come after few looks
  const error = (await lab.run(apply, { node, mode })) as Error | undefined;
  return { ...lab, error, acts: lab.commands.filter((line) => line.startsWith("act ")) };
};
const members = (i: number) => `${to(i)} etcd members`;
const row = (i: number, learner: boolean) =>
  `x      a${i}   k8s-${i}      https://${ADDRESSES[i]}:2380    https://${ADDRESSES[i]}:2379    ${learner}`;
const etcdOf = (...learners: number[]) =>
  ["NODE   ID   HOSTNAME   PEER URLS   CLIENT URLS   LEARNER", ...[0, 1, 2].map((i) => row(i, learners.includes(i)))].join("\n");
const VOTERS = etcdOf();
/** k8s-0 is back, and does not vote yet. */
const LEARNER = etcdOf(0);
const ETCD_DOWN = {
  err: 'error getting members: rpc error: code = Unavailable desc = connection error: desc = "dial tcp 127.0.0.1:2379: connection refused"',
  code: 1,
};
const NONE = { err: "Dry run summary:\nApplied configuration without a reboot (skipped in dry-run).\nConfig diff:\n-  token: hunter2\n" };
const REBOOT = {
  err: "Dry run summary:\nApplied configuration with a reboot: this config change can't be applied in immediate mode (skipped in dry-run).\n",
};

describe("a node in maintenance mode", () => {
  const fresh = async (later: Answer[]): Promise<Answers> => ({
    [status(0)]: UNKNOWN_AUTHORITY,
    [statusOpenly(0)]: MAINTENANCE,
    [sendOpenly(0)]: "",
    [config(0)]: [...later, await wanted(0)],
  });
  test("is given its config openly, and is believed when it holds it", async () => {
    const { acts, stdin, plans, said, error } = await run(await fresh([UNKNOWN_AUTHORITY, NO_ROUTE, REFUSED]), { node: ["k8s-0"] });
    expect(error).toBeUndefined();
    expect(acts).toEqual([`act ${sendOpenly(0)}`]);
    expect(stdin[sendOpenly(0)]).toBe(await wanted(0));
    expect(plans).toEqual([
      {
        title: "talos:apply k8s-0",
        lines: [
          "k8s-0 (192.168.122.10), maintenance: installs Talos on its system disk, and reboots",
          `  certificate ${fingerprintOf(ADDRESSES[0]!)}, which its console shows too`,
          "  system disk /dev/vda (500 GB): blank",
          "  data disk /dev/vdb (1.0 TB): blank",
        ],
      },
    ]);
    expect(said).toEqual(["k8s-0 holds the config"]);
  });
  test("that has another NIC than the node's is sent nothing", async () => {
    const { acts, error } = await run(
      { ...(await fresh([])), [`${openly(FILE, 0)} get links`]: links("00:a0:98:ff:ff:ff") },
      { node: ["k8s-0"] },
    );
    expect(acts).toEqual([]);
    expect(error!.message).toContain("is not ours to configure: the machine at 192.168.122.10 has NIC 00:a0:98:ff:ff:ff");
  });
  test("whose disk holds data needs its name, and whose address a living cluster knows does too", async () => {
    const etcd = [
      "NODE             ID                 HOSTNAME   PEER URLS                      CLIENT URLS                    LEARNER",
      "192.168.122.11   e5d4c3b2a1900001   k8s-0      https://192.168.122.10:2380    https://192.168.122.10:2379    false",
    ].join("\n");
    const { plans, acts } = await run(
      {
        ...(await fresh([])),
        [`${openly(FILE, 0)} get discoveredvolumes`]: volumes("gpt", "bluestore"),
        [`${to(1)} etcd members`]: etcd,
      },
      { node: ["k8s-0"] },
      { yes: false },
    );
    expect(plans[0]!.destroys).toEqual({
      what: [
        "k8s-0: system disk /dev/vda (500 GB): gpt",
        "k8s-0: data disk /dev/vdb (1.0 TB): bluestore (the install leaves it, but Ceph takes only a blank disk)",
        "k8s-0: etcd counts it as member k8s-0",
      ],
      name: "k8s-0",
    });
    expect(acts).toEqual([]);
  });
  describe("that replaces a node while the cluster cannot be asked", () => {
    /** k8s-1 runs, and its etcd has data and is down. */
    const replaced = async (first?: Answer) => ({
      ...(await fresh([])),
      [members(1)]: first === undefined ? ETCD_DOWN : [first, ETCD_DOWN],
      [`${to(1)} list /var/lib/etcd`]: "NODE             NAME\n192.168.122.11   member\n",
    });
    test("needs its name", async () => {
      const { plans, acts } = await run(await replaced(), { node: ["k8s-0"] }, { yes: false });
      expect(plans[0]!.destroys).toEqual({
        what: ["k8s-0: the cluster may have a living node at 192.168.122.10, and cannot be asked (k8s-1 has etcd's data)"],
        name: "k8s-0",
      });
      expect(acts).toEqual([]);
    });
    test("is sent nothing when that became so while the question was open", async () => {
      const { acts, error } = await run(await replaced(UNKNOWN_AUTHORITY), { node: ["k8s-0"] }, { whileAsking: () => {} });
      expect([acts, error!.message]).toEqual([[], expect.stringContaining("new: install without an answer of the cluster on k8s-0")]);
    });
  });
  test("is sent nothing when another machine took its address while the question was open", async () => {
    const { acts, error } = await run(await fresh([]), { node: ["k8s-0"] }, { whileAsking: () => useHandshake(async () => "other") });
    expect(acts).toEqual([]);
    expect(error!.message).toBe(
      "could not start talos:apply: the plan changed while the question was open\n  said: new: send the machine config to k8s-0, certificate other\n  now:  nothing was changed\n  next: task talos:apply",
    );
  });
  test("is sent nothing when another machine took its address after the last look: talosctl hangs up", async () => {
    const mismatch = {
      err: `error applying new configuration: rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: leaf peer certificate doesn't match the provided fingerprints: [x=]"\n`,
      code: 1,
    };
    const { error, commands } = await run({ ...(await fresh([])), [sendOpenly(0)]: mismatch }, { node: ["k8s-0"] });
    expect(error!.message).toBe(
      "could not apply the machine config of k8s-0\n  said: the machine at 192.168.122.10 no longer shows the certificate that it showed during the look\n  now:  nothing was sent to it\n  next: task talos:apply NODE=k8s-0 looks again",
    );
    expect(commands.at(-1)).toBe(`act ${sendOpenly(0)}`);
  });
  test("that shows no certificate does not answer", async () => {
    const lab = await record({ env, secrets, answers: { ...machines(), ...(await fresh([])) } });
    useHandshake(() => Promise.reject(new Error("connect ECONNREFUSED 192.168.122.10:50000")));
    const error = (await lab.run(apply, { node: ["k8s-0"], mode: "auto" })) as Error;
    expect(error.message).toContain(
      "k8s-0 (192.168.122.10) does not answer: its certificate could not be read: connect ECONNREFUSED 192.168.122.10:50000",
    );
  });
  test("that is back without a config has not installed", async () => {
    const { error, acts } = await run(
      { ...(await fresh([])), [config(0)]: [UNKNOWN_AUTHORITY, NO_ROUTE, UNKNOWN_AUTHORITY] },
      { node: ["k8s-0"] },
    );
    expect(acts).toHaveLength(1);
    expect(error!.message).toBe(
      "could not install Talos on k8s-0\n  said: it took the config, rebooted, and is in maintenance mode again; its console says why (a disk that is not there, an installer image that cannot be pulled)\n  now:  k8s-0 has no config\n  next: task talos:validate, then: task talos:apply NODE=k8s-0",
    );
  });
  test("that does not come back is a failure after a quarter of an hour", async () => {
    const { error } = await run({ ...(await fresh([])), [config(0)]: [UNKNOWN_AUTHORITY, NO_ROUTE] }, { node: ["k8s-0"] });
    expect(error!.message).toBe(
      "could not wait for k8s-0 to hold its config within 900 s\n  said: dial tcp 192.168.122.10:50000: connect: no route to host\n  next: task talos:diff NODE=k8s-0",
    );
  });
  test.each([
    [
      "another apply configuration is already in progress",
      "rpc error: code = FailedPrecondition desc = another apply configuration is already in progress",
    ],
    [
      "error reading server preface: EOF",
      'rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: EOF"',
    ],
  ])("whose reply is lost or says it has one (%s) is looked at, not given up", async (short, err) => {
    const { said, error } = await run({ ...(await fresh([NO_ROUTE])), [sendOpenly(0)]: { err, code: 1 } }, { node: ["k8s-0"] });
    expect([error, said]).toEqual([undefined, [`k8s-0: ${short}; looking at what it holds`, "k8s-0 holds the config"]]);
  });
  test("that refuses is a failure", async () => {
    const { error } = await run(
      {
        ...(await fresh([])),
        [sendOpenly(0)]: {
          err: "error applying new configuration: rpc error: code = InvalidArgument desc = 1 error occurred:\n\t* no disks matched\n\n",
          code: 1,
        },
      },
      { node: ["k8s-0"] },
    );
    expect(error!.message).toBe(
      "could not apply the machine config of k8s-0\n  said: no disks matched\n  next: task talos:status, then: task talos:apply NODE=k8s-0",
    );
  });
  test("is only looked at in a dry run", async () =>
    expect((await run(await fresh([]), { node: ["k8s-0"] }, { dryRun: true })).acts).toEqual([]));
  test("is left alone when the person says no", async () =>
    expect((await run(await fresh([]), { node: ["k8s-0"] }, { yes: false })).acts).toEqual([]));
});

describe("a node that runs", () => {
  test("and holds what it should is left alone, without a question", async () => {
    const { said, plans, commands } = await run({ [status(0)]: RUNNING, ...(await holds(0)) }, { node: ["k8s-0"] });
    expect([said, plans]).toEqual([["k8s-0 already has this config"], []]);
    expect(commands).toEqual([
      `ask ${status(0)} --output json`,
      `ask ${config(0)} --output $'jsonpath={.spec}'`,
      `ask ${config(0, "persistent")} --output $'jsonpath={.spec}'`,
    ]);
  });
  test("with a config on trial, which its disk does not hold, is given it to keep", async () => {
    const { plans } = await run(
      { [status(0)]: RUNNING, [config(0)]: await wanted(0), [config(0, "persistent")]: await sysctl(0), [wouldSend(0)]: NONE },
      { node: ["k8s-0"] },
      { dryRun: true },
    );
    expect(plans[0]!.lines).toEqual([
      "k8s-0 (192.168.122.10), running: 1 change, no reboot",
      '  - v1alpha1 machine.sysctls.vm.swappiness: "1"',
    ]);
  });
  test("is shown what goes away, asked what it would do, given the config, and must be ready again", async () => {
    const before = await sysctl(0);
    const { acts, plans, said, error, commands } = await run(
      { [status(0)]: RUNNING, [config(0)]: [before, before, before, await wanted(0)], [wouldSend(0)]: NONE, [send(0)]: "" },
      { node: ["k8s-0"] },
    );
    expect(error).toBeUndefined();
    expect(plans[0]!.lines).toEqual([
      "k8s-0 (192.168.122.10), running: 1 change, no reboot",
      '  - v1alpha1 machine.sysctls.vm.swappiness: "1"',
    ]);
    expect(acts).toEqual([`act ${send(0)}`]);
    expect(commands.at(-1)).toBe(`ask ${status(0)} --output json`);
    expect(said).toEqual(["k8s-0 holds the config"]);
  });
  test("nothing of what it says in its dry run is passed on", async () => {
    const before = await sysctl(0);
    const { plans, said } = await run(
      { [status(0)]: RUNNING, [config(0)]: [before, before, await wanted(0)], [wouldSend(0)]: NONE, [send(0)]: "" },
      { node: ["k8s-0"] },
    );
    expect(JSON.stringify([plans, said])).not.toMatch(/hunter2|value of/);
  });
  test("that would reboot says for what", async () => {
    const { plans } = await run(
      { [status(0)]: RUNNING, [status(1)]: RUNNING, [status(2)]: RUNNING, [config(0)]: await file(0), [wouldSend(0)]: REBOOT },
      { node: ["k8s-0"] },
      { yes: false },
    );
    expect(plans[0]!.lines[0]).toMatch(
      /^k8s-0 \(192\.168\.122\.10\), running: 1 change, reboots for machine\.files\[\/etc\/nfsmount\.conf\]\.permissions, and is not drained before \(MODE=staged leaves that to you\)$/,
    );
  });
  test("that refuses is not asked for more", async () => {
    const refusal = {
      err: "error applying new configuration: 1 error occurred:\n\t* 192.168.122.10: rpc error: code = InvalidArgument desc = this config change can't be applied in immediate mode\ndiff:\n-  token: hunter2\n\n",
      code: 1,
    };
    const { error, acts } = await run(
      { [status(0)]: RUNNING, [config(0)]: await file(0), [wouldSend(0, "no-reboot")]: refusal },
      { node: ["k8s-0"], mode: "no-reboot" },
    );
    expect(acts).toEqual([]);
    expect(error!.message).toBe(
      "could not apply machine configs\n  said: k8s-0 (192.168.122.10) refuses this config: this config change can't be applied in immediate mode\n  now:  nothing was changed\n  next: task talos:apply MODE=auto reboots for it, MODE=staged leaves it for the next reboot",
    );
  });
  describe("that does not know a document of the config", () => {
    const refusal = {
      err: 'error applying new configuration: 1 error occurred:\n\t* 192.168.122.10: rpc error: code = InvalidArgument desc = error decoding document v1alpha1/SysctlConfig/ (line 12): "SysctlConfig" "v1alpha1": not registered\n\n',
      code: 1,
    };
    const refusing = async (version: string): Promise<Answers> => ({
      [status(0)]: RUNNING,
      [config(0)]: await sysctl(0),
      [wouldSend(0)]: refusal,
      [`${to(0)} version`]: `Client:\n\tTag:         v1.13.9\nServer:\n\tNODE:        192.168.122.10\n\tTag:         ${version}\n`,
    });
    test("and runs an older Talos is upgraded first", async () => {
      const { acts, error } = await run(await refusing("v1.12.11"), { node: ["k8s-0"] });
      expect(acts).toEqual([]);
      expect(error!.message).toBe(
        'could not apply machine configs\n  said: k8s-0 (192.168.122.10) runs Talos v1.12.11, which is too old for this config: error decoding document v1alpha1/SysctlConfig/ (line 12): "SysctlConfig" "v1alpha1": not registered\n  now:  nothing was changed\n  next: upgrade Talos first (docs/cluster.md, Upgrades of Talos and Kubernetes), then: task talos:apply',
      );
    });
    test("and runs the Talos of versions.env just refuses it", async () =>
      expect((await run(await refusing("v1.13.2"), { node: ["k8s-0"] })).error!.message).toContain(
        "k8s-0 (192.168.122.10) refuses this config: ",
      ));
    test("and booted an older ISO is to boot the right one", async () => {
      const { error } = await run({ ...(await machineFor()), [sendOpenly(0)]: refusal }, { node: ["k8s-0"] });
      expect(error!.message).toContain(
        "next: boot it from the ISO of Talos v1.13.9 (task talos:prepare-iso), then: task talos:apply NODE=k8s-0",
      );
    });
    const machineFor = async (): Promise<Answers> => ({ [status(0)]: UNKNOWN_AUTHORITY, [statusOpenly(0)]: MAINTENANCE });
  });
  test("staged: compared and proven with what is on its disk", async () => {
    const before = await file(0);
    const { acts, plans, said } = await run(
      {
        [status(0)]: RUNNING,
        [config(0, "persistent")]: [before, before, await wanted(0)],
        [wouldSend(0, "staged")]: NONE,
        [send(0, "staged")]: "",
      },
      { node: ["k8s-0"], mode: "staged" },
    );
    expect(plans[0]!.lines[0]).toBe("k8s-0 (192.168.122.10), running: 1 change, taken into use at its next reboot");
    expect([acts, said]).toEqual([[`act ${send(0, "staged")}`], ["k8s-0 holds the config for its next boot"]]);
  });
  test("tried: it takes it back", async () => {
    const before = await sysctl(0);
    const { plans, said } = await run(
      { [status(0)]: RUNNING, [config(0)]: [before, before, await wanted(0)], [wouldSend(0, "try")]: NONE, [send(0, "try")]: "" },
      { node: ["k8s-0"], mode: "try" },
    );
    expect([plans[0]!.lines[0], said]).toEqual([
      "k8s-0 (192.168.122.10), running: 1 change, no reboot, taken back after a minute",
      ["k8s-0 holds the config; it takes it back within a minute: MODE=auto keeps it"],
    ]);
  });
  test("that changed while the question was open is left alone", async () => {
    const { acts, error } = await run(
      { [status(0)]: RUNNING, [config(0)]: [await sysctl(0), await file(0)], [wouldSend(0)]: NONE },
      { node: ["k8s-0"] },
      { whileAsking: () => {} },
    );
    expect(acts).toEqual([]);
    expect(error!.message).toBe(
      "could not start talos:apply: the plan changed while the question was open\n  said: new: ~ v1alpha1 machine.files[/etc/nfsmount.conf].permissions: 384 → 420 on k8s-0\n  now:  nothing was changed\n  next: task talos:apply",
    );
  });
  test("that does not hold what was sent is a failure that says what it holds", async () => {
    const before = await sysctl(0);
    const { error } = await run({ [status(0)]: RUNNING, [config(0)]: before, [wouldSend(0)]: NONE, [send(0)]: "" }, { node: ["k8s-0"] });
    expect(error!.message).toBe(
      'could not wait for k8s-0 to hold its config within 900 s\n  said: it holds another config: - v1alpha1 machine.sysctls.vm.swappiness: "1"\n  next: task talos:diff NODE=k8s-0',
    );
  });
  test("that is up but not content, as before etcd, need not become so", async () => {
    const before = await sysctl(0);
    const { error, commands } = await run(
      { [status(0)]: BOOTING, [config(0)]: [before, before, await wanted(0)], [wouldSend(0)]: NONE, [send(0)]: "" },
      { node: ["k8s-0"] },
    );
    expect([error, commands.at(-1)]).toEqual([undefined, `ask ${config(0)} --output $'jsonpath={.spec}'`]);
  });
});

describe("several nodes", () => {
  test("are touched one after the other, and only when the one before is ready again", async () => {
    const [before0, before1] = [await sysctl(0), await sysctl(1)];
    const { acts, commands } = await run(
      {
        [status(0)]: [RUNNING, BOOTING, RUNNING],
        [status(1)]: RUNNING,
        [config(0)]: [before0, await wanted(0)],
        [config(1)]: [before1, await wanted(1)],
        [wouldSend(0)]: NONE,
        [wouldSend(1)]: NONE,
        [send(0)]: "",
        [send(1)]: "",
      },
      { node: ["k8s-1", "k8s-0"] },
    );
    expect(acts).toEqual([`act ${send(0)}`, `act ${send(1)}`]);
    const between = commands.slice(commands.indexOf(acts[0]!), commands.indexOf(acts[1]!));
    expect(between.filter((line) => line.includes("machinestatus"))).toHaveLength(2);
  });
  test("one that does not answer stops all, before anything is sent", async () => {
    const { acts, error } = await run({
      [status(0)]: UNKNOWN_AUTHORITY,
      [statusOpenly(0)]: MAINTENANCE,
      [status(1)]: NO_ROUTE,
      [status(2)]: UNKNOWN_AUTHORITY,
      [statusOpenly(2)]: CERTIFICATE_REQUIRED,
    });
    expect(acts).toEqual([]);
    expect(error!.message).toBe(
      "could not apply machine configs\n  said: k8s-1 (192.168.122.11) does not answer: dial tcp 192.168.122.10:50000: connect: no route to host\n        k8s-2 (192.168.122.12) is not ours to configure: it has a config of a cluster with another authority than $TALOSCONFIG's\n  now:  nothing was changed\n  next: task talos:status",
    );
  });
  test("a node that nobody knows is named", async () =>
    expect((await run({}, { node: ["k8s-9"] })).error!.message).toBe(
      'no node "k8s-9" in talos/cluster.yaml: did you mean k8s-0? nodes are k8s-0, k8s-1, k8s-2',
    ));
});

describe("etcd's quorum", () => {
  const rebooting = async (etcd: Answer[]): Promise<Answers> => ({
    [status(0)]: RUNNING,
    [status(1)]: RUNNING,
    [config(0)]: await file(0),
    [wouldSend(0)]: REBOOT,
    ...Object.fromEntries(etcd.map((answer, i) => [members(i), answer])),
    [`${to(1)} list /var/lib/etcd`]: "NODE             NAME\n192.168.122.11   .\n192.168.122.11   member\n",
  });
  test("is not risked by a reboot while another node runs and its etcd is down", async () => {
    const { acts, error } = await run(await rebooting([VOTERS, ETCD_DOWN, VOTERS]), { node: ["k8s-0"] });
    expect(acts).toEqual([]);
    expect(error!.message).toBe(
      [
        "could not start talos:apply",
        "  said: quorum: k8s-0 would go down: etcd needs 2 voting control planes to stay; known to stay: 1",
        "          k8s-1: its etcd is down, and its data directory is not empty (WAIVE=quorum skips this check)",
        "  now:  nothing was changed",
        "  next: fix this, then: task talos:apply",
      ].join("\n"),
    );
  });
  test("is not risked by a reboot while another node cannot be asked", async () => {
    const { acts, error } = await run(await rebooting([VOTERS, VOTERS, NO_ROUTE]), { node: ["k8s-0"] });
    expect([acts, error!.message]).toEqual([[], expect.stringContaining("said: quorum: unknown: k8s-0 would go down")]);
  });
  test("can be waived by name", async () =>
    expect(
      (await run(await rebooting([VOTERS, ETCD_DOWN, VOTERS]), { node: ["k8s-0"] }, { yes: false, waive: ["quorum"] })).plans,
    ).toHaveLength(1));
  test.each([
    ["runs and is not ready", RUNNING.replace('"ready": true', '"ready": false')],
    ["still boots", BOOTING],
  ])("is looked at for a node that %s: its etcd may vote all the same", async (_, stage) => {
    expect(stage).not.toBe(RUNNING);
    const { acts, error } = await run({ ...(await rebooting([VOTERS, ETCD_DOWN, VOTERS])), [status(0)]: stage }, { node: ["k8s-0"] });
    expect([acts, error!.message]).toEqual([[], expect.stringContaining("quorum: k8s-0 would go down")]);
  });
  test("is nothing to a node that boots while no node has etcd yet", async () => {
    const answers = { ...(await rebooting([UNKNOWN_AUTHORITY, UNKNOWN_AUTHORITY, UNKNOWN_AUTHORITY])), [status(0)]: BOOTING };
    expect((await run(answers, { node: ["k8s-0"] }, { yes: false })).plans).toHaveLength(1);
  });
});

describe("after its reboot a node", () => {
  const unready = RUNNING.replace('"ready": true', '"ready": false');
  /** Two nodes that reboot; `etcd` is what the first one's etcd says, look after look. */
  const both = async (etcd: Answer[], first = unready): Promise<Answers> => ({
    [status(0)]: first,
    [status(1)]: RUNNING,
    [config(0)]: [await file(0), await wanted(0)],
    [config(1)]: [await file(1), await wanted(1)],
    [wouldSend(0)]: REBOOT,
    [wouldSend(1)]: REBOOT,
    [send(0)]: "",
    [send(1)]: "",
    [members(0)]: etcd,
    [members(1)]: VOTERS,
    [members(2)]: VOTERS,
    [`${to(0)} list /var/lib/etcd`]: "NODE             NAME\n192.168.122.10   member\n",
  });
  test("votes in etcd before the next one goes down, also when it was not ready before", async () => {
    // the gate before the question, the gate before the node, the look before the send; then it boots, learns and votes
    const { acts, error, commands } = await run(await both([VOTERS, VOTERS, VOTERS, NO_ROUTE, ETCD_DOWN, LEARNER, VOTERS]), {
      node: ["k8s-0", "k8s-1"],
    });
    expect([error, acts]).toEqual([undefined, [`act ${send(0)}`, `act ${send(1)}`]]);
    const between = commands.slice(commands.indexOf(acts[0]!), commands.indexOf(acts[1]!));
    expect(between.filter((line) => line === `ask ${members(0)}`).length).toBeGreaterThanOrEqual(4);
  });
  test("has rebooted before its vote counts: it may hold the config already, and go down only now", async () => {
    const boot = bootId(0);
    const { acts, error, commands } = await run(
      { ...(await both([VOTERS])), [boot]: ["first\n", "first\n", NO_ROUTE, "second\n"] },
      { node: ["k8s-0", "k8s-1"] },
    );
    expect([error, acts]).toEqual([undefined, [`act ${send(0)}`, `act ${send(1)}`]]);
    const after = commands.slice(commands.indexOf(acts[0]!), commands.indexOf(acts[1]!));
    const last = (line: string) => after.lastIndexOf(`ask ${line}`);
    expect(after.filter((line) => line === `ask ${boot}`)).toHaveLength(3);
    expect(after.indexOf(`ask ${members(0)}`)).toBeGreaterThan(last(boot));
  });
  test("that never goes down stops the run: the next one is left alone", async () => {
    const answers = { ...(await both([VOTERS])), [bootId(0)]: "first\n" };
    const { acts, error } = await run(answers, { node: ["k8s-0", "k8s-1"] });
    expect(acts).toEqual([`act ${send(0)}`]);
    expect(error!.message).toMatch(/could not wait for k8s-0 to reboot within 900 s\n +said: it has not rebooted yet/);
  });
  test("is sent nothing while it is healthy and its boot id cannot be read", async () => {
    const answers = { ...(await both([VOTERS], RUNNING)), [bootId(0)]: NO_ROUTE };
    const { acts, error } = await run(answers, { node: ["k8s-0", "k8s-1"] });
    expect(acts).toEqual([]);
    expect(error!.message).toContain("could not read the boot id of k8s-0, which shows that it has rebooted\n");
    expect(error!.message).toContain("not started: k8s-1");
  });
  test("that does not vote again stops the run and says why; the next one is left alone", async () => {
    const { acts, error } = await run(await both([VOTERS, VOTERS, VOTERS, ETCD_DOWN]), { node: ["k8s-0", "k8s-1"] });
    expect(acts).toEqual([`act ${send(0)}`]);
    expect(error!.message).toMatch(
      /k8s-0 to vote in etcd again within 900 s\n +said: its etcd is down, and its data directory is not empty\n/,
    );
    expect(error!.message).toContain("now:  not started: k8s-1");
  });
  test("need not vote where no node has etcd yet", async () => {
    const none = Object.fromEntries([0, 1, 2].map((i) => [members(i), UNKNOWN_AUTHORITY]));
    const { acts, error } = await run({ ...(await both([], BOOTING)), ...none }, { node: ["k8s-0"] });
    expect([error, acts]).toEqual([undefined, [`act ${send(0)}`]]);
  });
});

describe("a talosconfig", () => {
  const without = (text: string | undefined) => folderWith(text === undefined ? {} : { talosconfig: text }).env;
  const message = async (text: string | undefined) => {
    const own = without(text);
    const { error, commands } = await run({}, {}, { env: own });
    expect(commands).toEqual([]);
    return error!.message.replaceAll(own.TALOSCONFIG, "T");
  };
  const said = (text: string) =>
    `could not speak to the nodes\n  said: ${text}\n  now:  nothing was changed\n  next: task talos:talosconfig`;
  test("that is not there is named before talosctl could make an empty one", async () =>
    expect(await message(undefined)).toBe(said("there is no T")));
  test("that is empty", async () =>
    expect(await message('context: ""\ncontexts: {}\n')).toBe(said("T holds no certificate (talosctl makes an empty one by itself)")));
  test("that is no talosconfig", async () =>
    expect(await message("context: a\ncontexts: {a: {crt: bm9wZQ==}}\n")).toBe(
      said("T holds no certificate (talosctl makes an empty one by itself)"),
    ));
  test("that has expired", async () =>
    expect(await message(talosconfigOf({ days: -2 }))).toMatch(/the certificate in T expired on \d{4}-\d\d-\d\d\n/));
  test("of another cluster: our secrets would go there", async () =>
    expect(await message(talosconfigOf({ ca: newAuthority("theirs") }))).toBe(
      "could not use T for home-ops-cluster\n  said: it trusts another authority than home-ops-cluster's in the vault\n  now:  nothing was changed\n  next: move it away or set TALOSCONFIG, then: task talos:talosconfig",
    ));
});

test("one node can be applied by another procedure, which asked for all at once", async () => {
  const lab = await record({
    env,
    secrets,
    answers: {
      ...machines(),
      [status(1)]: UNKNOWN_AUTHORITY,
      [statusOpenly(1)]: MAINTENANCE,
      [sendOpenly(1)]: "",
      [config(1)]: await wanted(1),
    },
  });
  await sendConfig(lab.context, (await readNodeConfigs(lab.context, [lab.context.cluster.nodes[1]!]))[0]!);
  expect([lab.plans, lab.said]).toEqual([[], ["k8s-1 holds the config"]]);
});

describe("talos:diff", () => {
  const show = async (answers: Answers, node?: string[]) => {
    const lab = await record({ env, secrets, answers: { ...machines(), ...answers } });
    const end = (await lab.run(diff, { node })) as Error & { pending?: boolean };
    return { said: lab.said, results: lab.results, end, acts: lab.commands.filter((line) => line.startsWith("act ")) };
  };
  test("of what is as it should be", async () =>
    expect(await show({ [status(0)]: RUNNING, ...(await holds(0)) }, ["k8s-0"])).toMatchObject({
      said: ["k8s-0 (192.168.122.10), running: no changes"],
      end: undefined,
      acts: [],
    }));
  test("of what is not ends with changes pending", async () => {
    const { said, results, end } = await show({ [status(0)]: RUNNING, [config(0)]: await sysctl(0), [wouldSend(0)]: NONE }, ["k8s-0"]);
    expect(said).toEqual(['k8s-0 (192.168.122.10), running: 1 change, no reboot\n  - v1alpha1 machine.sysctls.vm.swappiness: "1"']);
    expect(results).toEqual([
      [
        {
          node: "k8s-0",
          stage: "running",
          ready: true,
          unmet: [],
          changes: [{ document: "v1alpha1", path: "machine.sysctls.vm.swappiness", before: '"1"' }],
          dryRun: { reboots: false },
        },
      ],
    ]);
    expect([end.message, end.pending]).toEqual(["changes are pending: task talos:apply", true]);
  });
  test("tells of the others when one does not answer, and fails", async () => {
    const { said, end } = await show({ [status(0)]: NO_ROUTE, [status(1)]: RUNNING, ...(await holds(1)) }, ["k8s-0", "k8s-1"]);
    expect(said).toEqual([
      "k8s-0 (192.168.122.10) does not answer: dial tcp 192.168.122.10:50000: connect: no route to host\nk8s-1 (192.168.122.11), running: no changes",
    ]);
    expect(end.message).toBe("could not compare k8s-0\n  said: not every node could be asked\n  next: task talos:status");
  });
});

describe("a node that is none", () => {
  test.each([
    ["talos:apply", (lab: Recording) => lab.run(apply, { node: ["k8s-9"], mode: "auto" })],
    ["talos:diff", (lab: Recording) => lab.run(diff, { node: ["k8s-9"] })],
  ])("is told by %s before anything is looked at, be there a talosconfig or not", async (_name, run) => {
    const lab = await record();
    expect(String(await run(lab))).toContain('no node "k8s-9" in talos/cluster.yaml: did you mean k8s-0? nodes are k8s-0, k8s-1, k8s-2');
    expect(lab.commands).toEqual([]);
  });
});
