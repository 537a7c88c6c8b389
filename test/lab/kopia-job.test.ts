// The script of the Job kopia-repository, run by a shell that finds no other program, over a stand-in for Kopia that keeps its repository in a folder and
// prints what Kopia 0.23.1 prints.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { whenPresent } from "../simulators/present.ts";

const JOB = parse(readFileSync("kubernetes/apps/volsync-system/kopia/repository/job.yaml", "utf8"));
const [CONTAINER] = JOB.spec.template.spec.containers;
const [OURS, OTHER] = ["a1".repeat(32), "b2".repeat(32)];

/** `repository connect|create|status` over a folder; the password is what the repository was created with. */
const KOPIA = `#!/bin/bash
PATH=/usr/bin:/bin
echo "$2" >>"$HERE/calls"
case "$2" in
  connect)
    if test ! -e "$HERE/nas/kopia.repository"; then echo "ERROR error connecting to repository: repository not initialized in the provided storage" >&2; exit 1; fi
    if test "$(cat "$HERE/nas/password")" != "$KOPIA_PASSWORD"; then echo "ERROR error connecting to repository: invalid repository password" >&2; exit 1; fi
    echo "Connected to repository." >&2 ;;
  create)
    if test -n "$(ls "$HERE/nas")"; then echo "ERROR found existing data in storage location" >&2; exit 1; fi
    echo "$NEW_ID" >"$HERE/nas/kopia.repository"; echo "$KOPIA_PASSWORD" >"$HERE/nas/password" ;;
  status) printf '{"configFile":"/tmp/repository.config",%s"clientOptions":{"hostname":"volsync"}}\\n' "$(sed 's/.*/"uniqueIDHex":"&",/' "$HERE/nas/kopia.repository")" ;;
esac
`;

function nas(repository?: string) {
  const here = mkdtempSync(join(tmpdir(), "kopia-"));
  onTestFinished(() => rmSync(here, { recursive: true }));
  mkdirSync(join(here, "nas"));
  writeFileSync(join(here, "entrypoint.sh"), KOPIA, { mode: 0o755 });
  if (repository !== undefined) {
    writeFileSync(join(here, "nas/kopia.repository"), repository);
    writeFileSync(join(here, "nas/password"), "secret");
  }
  const script = (CONTAINER.args[1] as string)
    .replaceAll("/tmp/", `${here}/`)
    .replaceAll("/entrypoint.sh", join(here, "entrypoint.sh"))
    .replaceAll("/dev/termination-log", join(here, "termination-log"));
  const read = (file: string) => whenPresent(() => readFileSync(join(here, file), "utf8")) ?? "";
  return {
    run(recorded: string, password = "secret") {
      const env = { PATH: "/nowhere", SHLVL: "1", HERE: here, KOPIA_PASSWORD: password, KOPIA_REPOSITORY_ID: recorded, NEW_ID: OURS };
      const { status, stdout, stderr } = spawnSync("/bin/bash", [CONTAINER.args[0], script], { env, encoding: "utf8" });
      const calls = read("calls").split("\n").filter(Boolean);
      rmSync(join(here, "calls"), { force: true });
      return {
        code: status,
        out: stdout,
        err: stderr,
        calls,
        reported: read("termination-log"),
        repository: read("nas/kopia.repository").trim(),
      };
    },
  };
}

test("it asks for the recorded identity, and lets Flux fill in nothing else of the script", () => {
  expect(CONTAINER.env).toContainEqual({ name: "KOPIA_REPOSITORY_ID", value: "${KOPIA_REPOSITORY_ID:=}" });
  expect(CONTAINER.args[1]).not.toContain("${");
  expect([CONTAINER.command, CONTAINER.terminationMessagePolicy]).toEqual([["/bin/bash"], "FallbackToLogsOnError"]);
});

describe("before an identity is recorded", () => {
  test("an empty path gets a repository, once, and its identity is reported", () => {
    const one = nas();
    expect(one.run("")).toMatchObject({ code: 0, calls: ["connect", "create", "status"], reported: OURS, repository: OURS });
    expect(one.run("")).toMatchObject({ code: 0, calls: ["connect", "status"], reported: OURS, out: `The repository is ${OURS}.\n` });
  });
  test("an identity that Kopia does not report is an error", () =>
    expect(nas("no-hex").run("")).toMatchObject({ code: 1, reported: "", err: expect.stringContaining("does not report the identity") }));
  test("a repository that exists is used", () =>
    expect(nas(OTHER).run("")).toMatchObject({ code: 0, calls: ["connect", "status"], reported: OTHER }));
  test("a wrong password creates nothing", () => {
    const { code, calls, err, reported } = nas(OTHER).run("", "wrong");
    expect([code, calls, reported]).toEqual([1, ["connect"], ""]);
    expect(err).toContain("invalid repository password");
    expect(err).toContain("The repository could not be opened. Nothing was created.");
  });
});

describe("once an identity is recorded", () => {
  test("the repository of that identity is used", () =>
    expect(nas(OURS).run(OURS)).toMatchObject({ code: 0, calls: ["connect", "status"], reported: OURS }));
  test("an empty path creates nothing and says where to look", () => {
    const { code, calls, err, repository } = nas().run(OURS);
    expect([code, calls, repository]).toEqual([1, ["connect"], ""]);
    expect(err).toContain(
      `This path holds no repository, but nas.kopiaRepository in talos/cluster.yaml records ${OURS}. Nothing was created.`,
    );
  });
  test("another repository is refused by name", () => {
    const { code, err, reported } = nas(OTHER).run(OURS);
    expect([code, reported]).toEqual([1, ""]);
    expect(err).toContain(`This is another repository: it is ${OTHER}, and nas.kopiaRepository in talos/cluster.yaml records ${OURS}.`);
  });
  test("a wrong password creates nothing", () => expect(nas(OURS).run(OURS, "wrong")).toMatchObject({ code: 1, calls: ["connect"] }));
});
