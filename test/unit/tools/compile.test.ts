// One build: the command, the check of what it made, and that nothing half-made is ever left.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Place } from "../../tools/cache.ts";
import { compile, removeDrafts } from "../../tools/compile.ts";
import type { BuiltTool } from "../../tools/table.ts";
import { type Answers, record } from "../recorder.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "home-ops-"));
  mkdirSync(join(cache, "built"));
  mkdirSync(join(cache, "module"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const draft = () => join(cache, "built", `.helm-0.${process.pid}.draft`);
const inDraft = () => join(draft(), "out/helm");
const left = () => readdirSync(join(cache, "built"));
const place = (more: Partial<BuiltTool> = {}): Place => ({
  tool: {
    name: "helm",
    folder: join(cache, "module"),
    module: "helm.sh/helm/v4",
    version: "v4.2.4",
    package: "helm.sh/helm/v4/cmd/helm",
    ldflags: "-X main.version=v4.2.4",
    asks: ["version", "--short"],
    ...more,
  },
  given: false,
  key: "0",
  folder: join(cache, "built/helm-0"),
  binary: join(cache, "built/helm-0/helm"),
});
const run = async (answers: Answers, one = place(), signal = new AbortController().signal) => {
  const lab = await record({ answers });
  const ended = await compile(one, {}, signal).catch((error: unknown) => error);
  return { commands: lab.commands, message: ended instanceof Error ? ended.message : undefined };
};

describe("a build", () => {
  test("is one go command into a draft, asked for its version, then put in place", async () => {
    const { commands, message } = await run({ "go build": "", [inDraft()]: "v4.2.4+g0123abc\n" });
    expect(message).toBeUndefined();
    expect(commands).toEqual([
      `act go build -ldflags $'-s -w -X main.version=v4.2.4' -o ${inDraft()} helm.sh/helm/v4/cmd/helm`,
      `ask ${inDraft()} version --short`,
    ]);
    expect(left()).toEqual(["helm-0"]);
  });
  test("that fails is one line, and its draft goes", async () => {
    const { message } = await run({ "go build": { err: "go: go.mod requires go >= 1.99.0 (running go1.26.8)\n", code: 1 } });
    expect(message).toBe("it needs Go 1.99.0 or newer");
    expect(left()).toEqual([]);
  });
  test("that says another version is refused, and its draft goes", async () => {
    const { message } = await run({ "go build": "", [inDraft()]: "v4.2\n" });
    expect(message).toBe('it says that it is "v4.2"');
    expect(left()).toEqual([]);
  });
  test("that was interrupted says so, whatever Go said, and its draft goes", async () => {
    const stop = new AbortController();
    stop.abort(new Error("interrupted by SIGINT"));
    const { message } = await run({ "go build": { err: "signal: killed", code: 1 } }, place(), stop.signal);
    expect(message).toBe("interrupted by SIGINT");
    expect(left()).toEqual([]);
  });
  test("that another run was quicker with leaves that run's tool", async () => {
    mkdirSync(join(cache, "built/helm-0"));
    writeFileSync(join(cache, "built/helm-0/helm"), "theirs");
    expect((await run({ "go build": "", [inDraft()]: "v4.2.4" })).message).toBeUndefined();
    expect(left()).toEqual(["helm-0"]);
  });
});

describe("a tool that embeds what its module lacks", () => {
  const flux = () => place({ embeds: "cmd/manifests/none.yaml" });
  const work = () => join(draft(), "work");
  test("is built from a copy of its module that has the file", async () => {
    const published = join(cache, "published");
    mkdirSync(join(published, "cmd"), { recursive: true });
    writeFileSync(join(cache, "module/go.mod"), "module x\n");
    writeFileSync(join(cache, "module/go.sum"), "");
    chmodSync(join(published, "cmd"), 0o555);
    const { commands, message } = await run(
      { "go mod download": JSON.stringify({ Dir: published }), "go mod edit": "", "go build": "", [inDraft()]: "v4.2.4" },
      flux(),
    );
    expect(message).toBeUndefined();
    expect(commands.slice(0, 2)).toEqual([
      "act go mod download -json helm.sh/helm/v4@v4.2.4",
      `act go mod edit -replace helm.sh/helm/v4=${join(draft(), "module")}`,
    ]);
    expect(existsSync(work())).toBe(false);
    expect(left()).toEqual(["helm-0"]);
  });
  test("whose module cannot be had is one line", async () => {
    const Error = "helm.sh/helm/v4@v4.2.4: reading https://proxy.golang.org/x.info: 403 Forbidden\n\tserver response: not available";
    const { message } = await run({ "go mod download": { out: JSON.stringify({ Error }), code: 1 } }, flux());
    expect(message).toBe("helm.sh/helm/v4@v4.2.4 cannot be had from the module proxy (GOPROXY): 403 Forbidden");
    expect(left()).toEqual([]);
  });
});

test("drafts of builds that were killed go, those of builds that live stay, and so do tools", async () => {
  for (const name of [".helm-0.999999999.draft", `.flux-1.${process.pid}.draft`, "sops-2"]) mkdirSync(join(cache, "built", name));
  await removeDrafts(join(cache, "built"));
  expect(left()).toEqual([`.flux-1.${process.pid}.draft`, "sops-2"]);
});
