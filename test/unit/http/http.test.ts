import { createHash } from "node:crypto";
import { MockAgent } from "undici";
import { beforeEach, describe, expect, test } from "vitest";
import { type Event, silentReport } from "../../../scripts/lib/run/report.ts";
import { openGate } from "../../../scripts/lib/run/effects.ts";
import { openHttp } from "../../../scripts/lib/http/http.ts";
import { useClock } from "../../../scripts/lib/run/wait.ts";
import { stillClock } from "../recorder.ts";

const PAGE = "https://factory.talos.dev/x";
let agent: MockAgent;
let said: string[];
let effects: Event[];
const open = () =>
  openHttp({ env: {}, signal: new AbortController().signal, ui: { progress: (line: string) => void said.push(line) } as never }, agent);
const at = (method: string) => agent.get("https://factory.talos.dev").intercept({ path: "/x", method });
const broken = (code: string, message = "broken") => Object.assign(new Error(message), { code });

beforeEach(() => {
  agent = new MockAgent();
  agent.disableNetConnect();
  [said, effects] = [[], []];
  openGate({ ...silentReport, write: (event) => void effects.push(event) }, false);
  useClock(stillClock());
});

describe("a read", () => {
  test("answers with status, headers and text, whatever the status", async () => {
    at("GET").reply(404, "no such schematic", { headers: { date: "today" } });
    const answer = await open().ask(PAGE);
    expect([answer.status, answer.text, answer.header("Date")]).toEqual([404, "no such schematic", "today"]);
    expect(effects).toEqual([]);
  });

  test.each([429, 502, 503, 504])("status %d is asked again", async (status) => {
    at("GET").reply(status, "later");
    at("GET").reply(200, "now");
    expect((await open().ask(PAGE)).text).toBe("now");
  });

  test.each(["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "UND_ERR_SOCKET"])("%s is asked again", async (code) => {
    at("GET").replyWithError(broken(code));
    at("GET").reply(200, "now");
    expect((await open().ask(PAGE)).text).toBe("now");
  });

  test("what will not get better fails at once, with the reason", async () => {
    at("GET").replyWithError(broken("ENOTFOUND", "getaddrinfo ENOTFOUND factory.talos.dev"));
    await expect(open().ask(PAGE)).rejects.toThrow(`could not GET ${PAGE}\n  said: getaddrinfo ENOTFOUND factory.talos.dev`);
  });

  test("patience ends", async () => {
    at("GET").replyWithError(broken("ECONNREFUSED", "connect ECONNREFUSED")).persist();
    await expect(open().ask(PAGE, { patience: 10 })).rejects.toThrow(
      "wait for factory.talos.dev to answer GET within 10 s\n  said: connect ECONNREFUSED",
    );
  });
});

describe("a change", () => {
  test("is one effect", async () => {
    at("POST").reply(201, "made");
    expect((await open().act(PAGE, { what: "schematic", body: "{}" })).status).toBe(201);
    expect(effects).toMatchObject([
      { phase: "before", door: "http", what: `POST ${PAGE} schematic` },
      { phase: "after", ok: true },
    ]);
  });

  test("is never repeated", async () => {
    at("POST").replyWithError(broken("ECONNRESET", "read ECONNRESET"));
    at("POST").reply(201, "made");
    await expect(open().act(PAGE, { what: "schematic", body: "{}" })).rejects.toThrow(
      `could not POST ${PAGE} (schematic)\n  said: read ECONNRESET`,
    );
    expect(agent.pendingInterceptors()).toHaveLength(1);
  });

  test("does not begin after an abort", async () => {
    const http = openHttp({ env: {}, signal: AbortSignal.abort(new Error("interrupted by SIGINT")), ui: {} as never }, agent);
    at("POST").reply(201, "made");
    await expect(http.act(PAGE, { what: "schematic", body: "{}" })).rejects.toThrow("interrupted by SIGINT");
    expect([effects, agent.pendingInterceptors().length]).toEqual([[], 1]);
  });

  test("throws in a dry run", async () => {
    openGate(silentReport, true);
    await expect(open().act(PAGE, { what: "schematic", body: "{}" })).rejects.toThrow("a dry run tried to change something");
  });
});

describe("a redirect", () => {
  const leadsTo = (location: string, method = "GET") => at(method).reply(302, "", { headers: { location } });
  const storage = (status: number, text: string, method = "GET") =>
    agent.get("https://storage.example").intercept({ path: "/y", method }).reply(status, text);

  test("to another https address is followed", async () => {
    leadsTo("https://storage.example/y");
    storage(200, "the file");
    expect((await open().ask(PAGE)).text).toBe("the file");
  });

  test("to a path of the same host is followed", async () => {
    leadsTo("/y", "HEAD");
    agent.get("https://factory.talos.dev").intercept({ path: "/y", method: "HEAD" }).reply(204, "");
    expect((await open().ask(PAGE, { method: "HEAD" })).status).toBe(204);
  });

  test.each(["http://factory.talos.dev/x", "http://storage.example/y"])("from https to %s is refused, at once", async (location) => {
    leadsTo(location);
    agent
      .get(new URL(location).origin)
      .intercept({ path: new URL(location).pathname })
      .reply(200, "another file");
    await expect(open().ask(PAGE)).rejects.toThrow(/could not follow the redirects of .*\n {2}said: it redirects to http:.*not encrypted/);
    expect(agent.pendingInterceptors()).toHaveLength(1);
  });

  test("from https to http is refused in the middle of a chain, and in a download", async () => {
    leadsTo("https://storage.example/y");
    agent
      .get("https://storage.example")
      .intercept({ path: "/y" })
      .reply(307, "", { headers: { location: "http://storage.example/z" } });
    const got = open().download(PAGE, { size: 1, name: "talos.iso", sink: async () => {} });
    await expect(got).rejects.toThrow("it redirects to http://storage.example, which is not encrypted");
  });

  test("that never ends is given up", async () => {
    at("GET")
      .reply(302, "", { headers: { location: PAGE } })
      .persist();
    await expect(open().ask(PAGE)).rejects.toThrow("more than 10 redirects");
  });

  test("of a change is not followed: it goes to the address of the plan", async () => {
    leadsTo("https://storage.example/y", "POST");
    storage(201, "made", "POST");
    await expect(open().act(PAGE, { what: "schematic", body: "{}" })).rejects.toThrow("unexpected redirect");
    expect(agent.pendingInterceptors()).toHaveLength(1);
  });
});

describe("a download", () => {
  const body = "x".repeat(1000);
  const collect = async (bytes: AsyncIterable<Uint8Array>) => {
    const parts: Uint8Array[] = [];
    for await (const part of bytes) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  const get = (sink = collect, size = body.length) => open().download(PAGE, { size, name: "talos.iso", sink });

  test("is counted and hashed on the way", async () => {
    at("GET").reply(200, body);
    expect(await get()).toEqual({ size: 1000, sha256: createHash("sha256").update(body).digest("hex"), value: body });
    expect(said.at(-1)).toBe("talos.iso: 0 MB of 0 MB (100 %)");
  });

  test("one that ends early begins again from zero", async () => {
    at("GET").reply(200, body.slice(0, 400));
    at("GET").reply(200, body);
    expect((await get()).value).toBe(body);
    expect(said.join("\n")).toContain("broke off after 400 of 1000 bytes; restarting from zero");
  });

  test.each([
    ["a connection that breaks", () => at("GET").replyWithError(broken("ECONNRESET"))],
    ["a server that is overloaded", () => at("GET").reply(503, "later")],
  ])("%s: again", async (_, first) => {
    first();
    at("GET").reply(200, body);
    expect((await get()).value).toBe(body);
  });

  test("more bytes than promised are no good file either", async () => {
    at("GET").reply(200, `${body}${body}`).persist();
    await expect(get()).rejects.toThrow("more than 1000 bytes came");
  });

  test("a status that will not get better fails at once", async () => {
    at("GET").reply(404, "no such version");
    await expect(get()).rejects.toThrow(`could not download ${PAGE}\n  said: status 404: no such version`);
  });

  test("the sink's own failure is not the source's: no second try", async () => {
    at("GET").reply(200, body);
    let tries = 0;
    await expect(
      get(async () => {
        tries += 1;
        throw new Error("the NAS is full");
      }),
    ).rejects.toThrow("the NAS is full");
    expect(tries).toBe(1);
  });

  test("a source that falls silent is given up", async () => {
    at("GET").reply(200, body);
    const silent = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("x")) });
    const { stream } = await import("../../../scripts/lib/http/download.ts");
    const source = {
      signal: new AbortController().signal,
      ui: { progress: () => {} },
      open: async () => new Response(silent) as never,
      whyNot: String,
      mayPass: () => false,
    };
    await expect(stream(PAGE, { size: 10, name: "talos.iso", idleSeconds: 0.01, patience: 0, sink: collect }, source)).rejects.toThrow(
      "nothing came for 0.01 s",
    );
  });
});
