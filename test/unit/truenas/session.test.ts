import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openGate } from "../../../scripts/lib/run/effects.ts";
import { Failure } from "../../../scripts/lib/run/errors.ts";
import { type Event, silentReport } from "../../../scripts/lib/run/report.ts";
import { type Connection, openConnection, type Wire } from "../../../scripts/lib/truenas/connection.ts";
import { awaitJob } from "../../../scripts/lib/truenas/jobs.ts";
import { login } from "../../../scripts/lib/truenas/login.ts";
import { NoAnswer, UnknownOutcome } from "../../../scripts/lib/truenas/refusal.ts";
import { openSession } from "../../../scripts/lib/truenas/session.ts";
import { useClock } from "../../../scripts/lib/run/wait.ts";
import { stillClock } from "../recorder.ts";

interface Heard {
  id: number;
  method: string;
  params: unknown[];
}
type Script = (heard: Heard, wire: FakeWire) => unknown;
interface FakeWire extends Wire {
  say(message: object): void;
  garble(): void;
  cut(why?: Error): void;
}

/** A socket whose other end is a function: what it returns is the result, `undefined` = it keeps silent. */
function fakeWire(script: Script): FakeWire {
  let text: (text: string) => void = () => {};
  let closed: (why: Error) => void = () => {};
  const wire: FakeWire = {
    send(sent) {
      const heard = JSON.parse(sent) as Heard;
      queueMicrotask(() => {
        const result = script(heard, wire);
        if (result !== undefined)
          wire.say(
            result !== null && typeof result === "object" && "error" in result ? { id: heard.id, ...result } : { id: heard.id, result },
          );
      });
    },
    close: () => closed(new NoAnswer("closed")),
    onText: (listen) => void (text = listen),
    onClose: (listen) => void (closed = listen),
    say: (message) => text(JSON.stringify({ jsonrpc: "2.0", ...message })),
    garble: () => text("<html>502</html>"),
    cut: (why = new NoAnswer("cut")) => closed(why),
  };
  return wire;
}

const ui = { progress: () => {}, debug: () => {} };
const { signal } = new AbortController();
const failure = (code: number, errno?: number) => ({ error: { code, message: "no", data: { error: errno } } });

/** A session on sockets that follow one script each, the last one again and again. */
function session(...scripts: Script[]) {
  const dialled: FakeWire[] = [];
  const dial = vi.fn<() => Promise<Wire>>(async () => {
    const script = scripts[Math.min(dialled.length, scripts.length - 1)]!;
    const wire = fakeWire((heard, self) => (heard.method === "core.subscribe" ? "id" : script(heard, self)));
    dialled.push(wire);
    return wire;
  });
  const logIn = vi.fn<(connection: Connection) => Promise<undefined>>(async () => undefined);
  return { ...openSession({ dial, login: logIn, ui }), dial, logIn, dialled };
}

let effects: Event[] = [];
beforeEach(() => {
  effects = [];
  openGate({ ...silentReport, write: (event) => void effects.push(event) }, false);
  useClock(stillClock());
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a connection", () => {
  test("matches replies that come in another order", async () => {
    const held: number[] = [];
    const wire = fakeWire(({ id }, self) => {
      held.push(id);
      if (held.length === 2) for (const each of held.toReversed()) self.say({ id: each, result: `for ${each}` });
    });
    const connection = openConnection(wire);
    expect(await Promise.all([connection.call("a", [], 5), connection.call("b", [], 5)])).toEqual(["for 1", "for 2"]);
    connection.close();
  });

  test("pings every 20 seconds, and hangs up on a socket that stays silent", async () => {
    vi.useFakeTimers();
    const pings: string[] = [];
    const connection = openConnection(fakeWire(({ method }) => (pings.push(method) < 3 ? "pong" : undefined)));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pings).toEqual(["core.ping", "core.ping", "core.ping"]);
    expect(connection.open).toBe(true);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(connection.open).toBe(false);
  });

  test("a call has a deadline", async () => {
    vi.useFakeTimers();
    const call = openConnection(fakeWire(() => undefined)).call("vm.query", [], 3);
    const ended = call.catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await ended).toBe("no answer to vm.query within 3 s");
  });

  test("a message that is not JSON ends it, and nothing is sent on it any more", async () => {
    const connection = openConnection(fakeWire((_, wire) => wire.garble()));
    await expect(connection.call("a", [], 5)).rejects.toThrow(
      'closed during a: could not read the output of `JSON-RPC of TrueNAS`: it is not JSON: "<html>502</html>"',
    );
    await expect(connection.call("b", [], 5)).rejects.toMatchObject({ sent: false });
  });

  test("an address that TrueNAS does not allow is final", async () => {
    const nas = session((_, wire) => wire.cut(new Failure({ attempted: "connect to TrueNAS", said: "not allowed" })));
    await expect(nas.ask("core.ping", [], signal)).rejects.toThrow("could not connect to TrueNAS\n  said: not allowed");
    expect(nas.dial).toHaveBeenCalledTimes(1);
  });
});

describe("reads", () => {
  test("are asked again on a new connection, after a new login", async () => {
    const nas = session(
      (_, wire) => wire.cut(),
      () => "pong",
    );
    expect(await nas.ask("core.ping", [], signal)).toBe("pong");
    expect(nas.dial).toHaveBeenCalledTimes(2);
    expect(nas.logIn).toHaveBeenCalledTimes(2);
  });

  test("a dropped login is renewed on a new socket", async () => {
    const nas = session(
      () => failure(-32001, 207),
      () => "pong",
    );
    expect(await nas.ask("core.ping", [], signal)).toBe("pong");
    expect(nas.dial).toHaveBeenCalledTimes(2);
  });

  test("too many calls at once: asked again on the same socket", async () => {
    let times = 0;
    const nas = session(() => (++times === 1 ? failure(-32000) : "pong"));
    expect(await nas.ask("core.ping", [], signal)).toBe("pong");
    expect(nas.dial).toHaveBeenCalledTimes(1);
  });

  test("a refusal is final", async () => {
    const nas = session(() => failure(-32001, 13));
    await expect(nas.ask("vm.query", [], signal)).rejects.toThrow("could not vm.query");
    expect(nas.dial).toHaveBeenCalledTimes(1);
  });

  test("a NAS that stays away is given up after 90 seconds", async () => {
    const nas = session((_, wire) => wire.cut());
    await expect(nas.ask("vm.query", [], signal)).rejects.toThrow("wait for TrueNAS to answer within 90 s");
  });

  test("never more than 8 in flight", async () => {
    let [now, most] = [0, 0];
    const nas = session(({ id }, wire) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now -= 1;
        wire.say({ id, result: true });
      }, 1);
    });
    await Promise.all(Array.from({ length: 30 }, () => nas.ask("vm.query", [], signal)));
    expect(most).toBe(8);
  });

  test("Ctrl-C does not wait for an answer", async () => {
    const stop = new AbortController();
    const asked = session(() => undefined).ask("vm.query", [], stop.signal);
    setTimeout(() => stop.abort(new Error("interrupted by SIGINT")), 5);
    await expect(asked).rejects.toThrow("interrupted by SIGINT");
  });
});

describe("changes", () => {
  test("one whose reply is lost is not sent again: nobody knows", async () => {
    const heard: string[] = [];
    const nas = session(({ method }, wire) => {
      heard.push(method);
      wire.cut();
    });
    await expect(nas.act("vm.create", [{}], "k8s_0", signal)).rejects.toThrow(UnknownOutcome);
    expect(heard).toEqual(["vm.create"]);
    expect(effects).toMatchObject([
      { phase: "before", door: "nas", what: "vm.create k8s_0" },
      { phase: "after", what: "vm.create k8s_0", ok: false },
    ]);
  });

  test.each([
    ["too many calls", failure(-32000)],
    ["a dropped login", failure(-32001, 207)],
  ])("%s: it did not run, so it is sent again, as one effect", async (_, refusal) => {
    let times = 0;
    const nas = session(() => (++times === 1 ? refusal : { id: 7 }));
    expect(await nas.act("vm.create", [{}], "k8s_0", signal)).toEqual({ id: 7 });
    expect(effects).toHaveLength(2);
  });

  test("none begins after an abort", async () => {
    const nas = session(() => true);
    const aborted = AbortSignal.abort(new Error("interrupted by SIGINT"));
    await expect(nas.act("vm.start", [1], "k8s_0", aborted)).rejects.toThrow("interrupted by SIGINT");
    expect([effects, nas.dial.mock.calls]).toEqual([[], []]);
  });

  test("a dry run sends nothing and does not even connect", async () => {
    openGate(silentReport, true);
    const nas = session(() => true);
    await expect(nas.act("vm.start", [1], "k8s_0", signal)).rejects.toThrow("a dry run tried to change something: vm.start k8s_0");
    expect(nas.dial).not.toHaveBeenCalled();
  });
});

describe("jobs", () => {
  const wait = { id: 5, method: "vm.stop", what: "k8s_0", seconds: 60, ui, signal };
  const row = (state: string, more = {}) => ({ id: 5, method: "vm.stop", state, time_started: { $date: 1 }, ...more });

  test("are waited for by their state, not by 100 %", async () => {
    const rows = [row("WAITING"), row("RUNNING", { progress: { percent: 100 } }), row("SUCCESS", { result: "done" })];
    const nas = session(() => [rows.length > 1 ? rows.shift()! : rows[0]!]);
    expect(await awaitJob(nas, wait)).toBe("done");
  });

  test("an event ends the wait before the next look", async () => {
    const nas = session(() => [row("RUNNING")]);
    await nas.open(signal);
    nas.dialled[0]!.say({
      method: "collection_update",
      params: { msg: "changed", collection: "core.get_jobs", id: 5, fields: row("SUCCESS", { result: 1 }) },
    });
    expect(await awaitJob(nas, wait)).toBe(1);
  });

  test("go on being waited for over a reconnect", async () => {
    const nas = session(
      (_, wire) => wire.cut(),
      () => [row("SUCCESS", { result: null })],
    );
    expect(await awaitJob(nas, wait)).toBeNull();
  });

  test("one that failed says so, with its fields", async () => {
    const nas = session(() => [row("FAILED", { error: "[EINVAL] path: no", exc_info: { errno: 22, extra: [["path", "no", 22]] } })]);
    await expect(awaitJob(nas, wait)).rejects.toThrow("could not vm.stop k8s_0\n  said: path: no");
  });

  test.each([
    ["its row is gone", []],
    ["its number is another job's", [row("RUNNING", { method: "vm.restart" })]],
  ])("%s: nobody knows", async (_, rows) => {
    await expect(
      awaitJob(
        session(() => rows),
        wait,
      ),
    ).rejects.toThrow(UnknownOutcome);
  });

  test("a middleware that restarted began to count again: nobody knows", async () => {
    const rows = [row("RUNNING"), row("RUNNING", { time_started: { $date: 2 } })];
    await expect(
      awaitJob(
        session(() => [rows.length > 1 ? rows.shift()! : rows[0]!]),
        wait,
      ),
    ).rejects.toThrow("TrueNAS no longer lists the job");
  });

  test("one that does not end in time: nobody knows", async () => {
    await expect(
      awaitJob(
        session(() => [row("RUNNING")]),
        wait,
      ),
    ).rejects.toThrow(UnknownOutcome);
  });
});

describe("login", () => {
  const at = (script: Script) => openConnection(fakeWire(script));
  const who = { username: "root", key: "1-secret", item: "op://Infrastructure/talosdeploy" };

  test("sends user and key, and reads the roles in either form", async () => {
    const sent: unknown[] = [];
    const reply = (roles: unknown) =>
      at(({ params }) => (sent.push(params), { response_type: "SUCCESS", user_info: { privilege: { roles } } }));
    expect(await login(reply({ $set: ["FULL_ADMIN"] }), who)).toEqual(new Set(["FULL_ADMIN"]));
    expect(await login(reply(["VM_READ"]), who)).toEqual(new Set(["VM_READ"]));
    expect(sent[0]).toEqual([{ mechanism: "API_KEY_PLAIN", username: "root", api_key: "1-secret" }]);
  });

  test.each([
    ["AUTH: unexpected authenticator run state. Expected: START", "the key is revoked, expired or belongs to another user"],
    ["[EBUSY] Rate Limit Exceeded", "wait ten minutes"],
  ])("%s is explained", async (reason, words) => {
    await expect(
      login(
        at(() => ({ error: { code: -32001, message: "x", data: { error: 22, reason } } })),
        who,
      ),
    ).rejects.toThrow(words);
  });

  test("a refused key names the item to look at, and never the key", async () => {
    const refused = await login(
      at(() => ({ response_type: "AUTH_ERR" })),
      who,
    ).catch((error: Error) => error.message);
    expect(refused).toContain("op://Infrastructure/talosdeploy");
    expect(refused).not.toContain("secret");
  });
});
