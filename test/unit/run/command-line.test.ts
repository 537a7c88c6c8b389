// From words, variables and environment to what a procedure gets; what is wrong names what is right.
import { describe, expect, test } from "vitest";
import { refuseMisspelt, wordsOfTask } from "../../../scripts/lib/run/called-by-task.ts";
import { choice, flag, integer, maybeText, nodeNames, text } from "../../../scripts/lib/run/options.ts";
import { procedure } from "../../../scripts/lib/run/procedure.ts";
import { help, readWords } from "../../../scripts/lib/run/command-line.ts";

const spec = procedure({
  name: "talos:try",
  about: "try something",
  destroys: "nothing",
  gates: [
    { name: "hosts", about: "hosts answer" },
    { name: "quorum", about: "etcd keeps its quorum" },
  ],
  options: {
    node: text("which node"),
    mode: choice("how", { auto: "at once", staged: "at the next reboot" }, "auto"),
    upload: flag("also upload"),
    count: integer("how many", { min: 1, max: 5, otherwise: 3 }),
    nodes: nodeNames(),
    note: maybeText("a note"),
  },
  run: async () => {},
});
const values = (words: string[], env: NodeJS.ProcessEnv = {}) => {
  const read = readWords(spec, words, env);
  return read.help ? undefined : read.values;
};
const common = (words: string[], env: NodeJS.ProcessEnv = {}) => {
  const read = readWords(spec, ["--node", "a", ...words], env);
  return read.help ? undefined : read.common;
};

describe("values", () => {
  test("come from flags", () =>
    expect(values(["--node", "k8s-0", "--mode", "staged", "--upload", "--count", "5", "--nodes", "a, b"])).toEqual({
      node: "k8s-0",
      mode: "staged",
      upload: true,
      count: 5,
      nodes: ["a", "b"],
      note: undefined,
    }));
  test("come from a task's variables", () =>
    expect(values([], { ARG_NODE: "k8s-1", ARG_UPLOAD: "1", ARG_MODE: "" })).toMatchObject({ node: "k8s-1", upload: true, mode: "auto" }));
  test("a flag beats a variable", () => expect(values(["--node", "k8s-0"], { ARG_NODE: "k8s-1" })).toMatchObject({ node: "k8s-0" }));
  test("an own option is not taken from an unprefixed variable of the shell", () =>
    expect(() => values([], { NODE: "k8s-9" })).toThrow("--node (NODE=) is missing: which node"));
  test("quotes, spaces, dollars and newlines arrive as they are", () =>
    expect(values([], { ARG_NODE: `it's "$(id)"\n  two` })).toMatchObject({ node: `it's "$(id)"\n  two` }));
});

describe("what every procedure takes", () => {
  test("is off when nothing is said", () =>
    expect(common([])).toEqual({ dryRun: false, yes: false, json: false, debug: false, exitCode: false, waive: [] }));
  test("comes from flags", () =>
    expect(common(["--dry-run", "--yes", "--output", "json", "--confirm", "k8s", "--waive", "hosts, quorum"])).toMatchObject({
      dryRun: true,
      yes: true,
      json: true,
      confirm: "k8s",
      waive: ["hosts", "quorum"],
    }));
  test("comes from the environment too", () =>
    expect(common([], { DRY_RUN: "1", LOG_LEVEL: "debug", EXIT_CODE: "1" })).toMatchObject({ dryRun: true, debug: true, exitCode: true }));
  test("DRY_RUN=yes is refused rather than taken for no", () =>
    expect(() => common([], { DRY_RUN: "yes" })).toThrow('--dry-run (DRY_RUN=) does not know "yes": 1 or 0'));
});

describe("what is wrong names what is right", () => {
  test("a check that nobody knows", () =>
    expect(() => common(["--waive", "host"])).toThrow(
      '--waive (WAIVE=) does not know "host"; did you mean hosts?\n  gates of talos:try: hosts quorum',
    ));
  test("a gate of another procedure", () =>
    expect(() => readWords({ ...spec, name: "talos:status", gates: [] }, ["--node", "a", "--waive", "quorum"], {})).toThrow(
      "--waive (WAIVE=quorum): talos:status has no gates to skip",
    ));
  test("an unknown flag", () =>
    expect(() => values(["--nod", "x"])).toThrow("talos:try: Unknown option '--nod'; did you mean --node?\n  flags: --dry-run"));
  test("an unknown choice", () =>
    expect(() => values(["--node", "a", "--mode", "now"])).toThrow('--mode (MODE=) does not know "now": one of auto, staged'));
  test("a number out of bounds", () =>
    expect(() => values(["--node", "a", "--count", "9"])).toThrow('--count (COUNT=) does not know "9": a whole number from 1 to 5'));
  test("a word that is no flag", () => expect(() => values(["k8s-0"])).toThrow("talos:try: Unexpected argument 'k8s-0'"));
});

test("help names flags, variables, defaults and what can be destroyed", () => {
  const lines = help(spec).split("\n");
  expect(lines[0]).toBe("talos:try: try something");
  expect(lines[1]).toBe("  can destroy: nothing");
  expect(lines).toContain("  --node           NODE=            which node, required");
  expect(lines).toContain("  --mode           MODE=            how, default auto");
  expect(lines).toContain(`${" ".repeat(36)}staged: at the next reboot`);
  expect(lines.join(" ").replaceAll(/\s+/g, " ")).toContain("skip the yes/no question; destructive steps still need --confirm");
  expect(lines).toContain("  quorum         etcd keeps its quorum");
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
});

describe("a variable that the target does not know", () => {
  test("is refused, with the one that was meant", () =>
    expect(() => refuseMisspelt(spec, ["talos:try", "NODE=a", "DRYRUN=1"])).toThrow(
      "task talos:try does not take DRYRUN=; did you mean DRY_RUN=?",
    ));
  test("is refused without a guess when nothing is near", () =>
    expect(() => refuseMisspelt(spec, ["talos:try", "COLOUR=red"])).toThrow(
      /^task talos:try does not take COLOUR=\n {2}it takes: NODE MODE /,
    ));
  test("is fine when the target knows it, and after --", () =>
    expect(() => refuseMisspelt(spec, ["-x", "talos:try", "NODE=a=b", "YES=1", "--", "--flag", "COLOUR=red"])).not.toThrow());
  test.each(["TALOS_VERSION", "TALOS_VERSON", "TALOSVERSION", "talos_version"])("%s= is refused, because Task ignores versions", (name) =>
    expect(() => refuseMisspelt(spec, ["talos:try", `${name}=v1.13.8`])).toThrow(
      `task talos:try does not take ${name}=: change TALOS_VERSION in versions.env, or set it for one run: TALOS_VERSION=v1.13.8 task talos:try`,
    ),
  );
  test("another version is refused too", () =>
    expect(() => refuseMisspelt(spec, ["talos:try", "CILIUM_VERSION=v1.19.0"])).toThrow(/^task talos:try does not take CILIUM_VERSION=\n/));
});

describe("the words of the calling task", () => {
  const SHELL = ["/bin/bash"];
  test.each([
    ["of the nearest ancestor", [["task", "talos:try", "NODE=a"], SHELL, ["task", "other"]], ["talos:try", "NODE=a"]],
    [
      "through a shell",
      [
        ["sh", "-c", "x"],
        ["/usr/bin/go-task", "-x", "talos:try"],
      ],
      ["-x", "talos:try"],
    ],
    ["none without a task", [SHELL, ["node", "server.js"]], []],
    [
      "none when another procedure started this one: those words are its own",
      [
        ["node", "--import", "tsx", "scripts/lab/run.ts", "--", "talos:try"],
        ["task", "lab:run", "NAME=two", "--", "talos:try"],
      ],
      [],
    ],
    [
      "none from within a rehearsal",
      [
        ["node", "/home/op/scripts/lab/rehearse.ts"],
        ["task", "lab:rehearse", "REAL=1"],
      ],
      [],
    ],
  ])("%s", (_, commands, words) => expect(wordsOfTask(commands)).toEqual(words));
});
