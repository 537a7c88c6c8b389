// Templates: what is not there is an error with name, file and line.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { refFor, renderIfThere, renderTemplate } from "../../../scripts/lib/text/template.ts";
import { testCluster } from "../test-cluster.ts";

const root = mkdtempSync(join(tmpdir(), "template-"));
mkdirSync(join(root, "talos"));
let count = 0;
/** Renders a text as a file of its own; the name is `t.njk` in what is said. */
async function render(text: string, variables: Record<string, unknown> = {}): Promise<string> {
  const file = `t${count++}.njk`;
  writeFileSync(join(root, file), text);
  return renderTemplate(root, file, variables).catch((error: Error) => error.message.replaceAll(file, "t.njk"));
}
const said = (message: string) => /said: {1,2}(.*)/.exec(message)?.[1];

describe("rendering", () => {
  test("puts values in as they are, without escaping for HTML", async () =>
    expect(await render("a: {{ x }}\n", { x: `<"&'>` })).toBe(`a: <"&'>\n`));
  test("takes the line of a block away", async () =>
    expect(
      await render("a:\n{% for x in list %}\n  - {{ x }}\n{% endfor %}\n  {% if yes %}\nb: 1\n  {% endif %}\n", {
        list: [1, 2],
        yes: true,
      }),
    ).toBe("a:\n  - 1\n  - 2\nb: 1\n"));
  test("loops over maps in their order", async () =>
    expect(await render("{% for k, v in map %}{{ k }}={{ v }} {% endfor %}", { map: { b: 1, a: 2 } })).toBe("b=1 a=2 "));
  test("knows false, 0, null and the empty text from undefined", async () =>
    expect(await render("{{ a }}{{ b }}{{ c }}{% if d %}x{% endif %}", { a: false, b: 0, c: "", d: null })).toBe("false0"));
  test("gives the same text again", async () => expect(await render("{{ x }}", { x: 1 })).toBe(await render("{{ x }}", { x: 1 })));
  test("of two roots keeps their files apart", async () => {
    const other = mkdtempSync(join(tmpdir(), "template-"));
    for (const folder of [root, other]) writeFileSync(join(folder, "same.njk"), folder === root ? "one" : "two");
    expect([await renderTemplate(root, "same.njk", {}), await renderTemplate(other, "same.njk", {})]).toEqual(["one", "two"]);
  });
});

describe("an undefined variable", () => {
  test.each([
    ["{{ absent }}", 't.njk:1: undefined variable "absent"'],
    ["a\n\nb: {{ clusterr.name }}", 't.njk:3: undefined variable "clusterr", did you mean "cluster"?'],
    ["a\nb: {{ cluster.nam }}", 't.njk:2: undefined variable "cluster.nam", did you mean "name"?'],
    ["{{ cluster.network.mtuu }}", 't.njk:1: undefined variable "cluster.network.mtuu", did you mean "mtu"?'],
    ["{{ cluster.network.x.y.z }}", 't.njk:1: undefined variable "cluster.network.x"'],
    ["{% if cluster.absent %}{% endif %}", 't.njk:1: undefined variable "cluster.absent"'],
    ["{% for n in list %}\n{{ n.zzz }}\n{% endfor %}", 't.njk:2: undefined variable "n.zzz"'],
    ["{% for n in nothingg %}{% endfor %}", 't.njk:1: undefined variable "nothingg", did you mean "nothing"?'],
    ['{{ cluster["names"] }}', 't.njk:1: undefined variable "cluster.names", did you mean "name"?'],
    ["{{ cluster.name | upper }}\n{{ missing | upper }}", 't.njk:2: undefined variable "missing"'],
    ["{{ call() }}", 't.njk:1: undefined variable "call"'],
  ])("%j: %s", async (text, message) =>
    expect(said(await render(text, { cluster: { name: "home", network: { mtu: 9000 } }, list: [{ a: 1 }], nothing: null }))).toBe(message),
  );

  test("of an included file is told with that file", async () => {
    writeFileSync(join(root, "talos/part.njk"), "x\n{{ absent }}\n");
    expect(said(await render('{% include "talos/part.njk" %}'))).toBe('talos/part.njk:2: undefined variable "absent"');
  });
  test("says the whole story", async () =>
    expect(await render("{{ absent }}")).toBe(
      'could not render t.njk\n  said: t.njk:1: undefined variable "absent"\n  now:  nothing was changed\n  next: fix t.njk',
    ));
});

describe("other mistakes", () => {
  test.each([
    ["a\n{{ a b }}", "t.njk:2: expected variable end"],
    ["a\n{% for %}", /^t\.njk:2: /],
    ["{{ null }}", /^t\.njk:1: attempted to output null or undefined value/],
    ["{{ x | nofilter }}", /^t\.njk: filter not found: nofilter/],
    ['{% include "nowhere.njk" %}', /^t\.njk: nowhere\.njk is missing/],
  ])("%j", async (text, message) =>
    expect(said(await render(text, { x: 1 }))).toEqual(typeof message === "string" ? message : expect.stringMatching(message)),
  );
  test("an error in an included file has that file and line", async () => {
    writeFileSync(join(root, "talos/fails.njk"), "x\n{{ fail() }}\n");
    const fail = () => {
      throw new Error("it failed");
    };
    expect(said(await render('a\n\n{% include "talos/fails.njk" %}', { fail }))).toBe("talos/fails.njk:2: it failed");
    writeFileSync(join(root, "talos/wrong.njk"), "x\n\n{% if %}\n");
    expect(said(await render('{% include "talos/wrong.njk" %}'))).toBe("talos/wrong.njk:3: unexpected token: %}");
  });
  test("a missing template", async () =>
    expect(said(await renderTemplate(root, "gone.njk", {}).catch((error: Error) => error.message))).toBe("gone.njk: gone.njk is missing"));
});

describe("ref()", () => {
  const ref = refFor(testCluster());
  test("is the reference of a field", async () =>
    expect(await render('{{ ref("nas", "TRUENAS_API") }}', { ref })).toBe("op://Infrastructure/talosdeploy/TRUENAS_API"));
  test("to an item that no home has says so", async () =>
    expect(said(await render('a\n{{ ref("talo", "X") }}', { ref }))).toBe(
      't.njk:2: ref("talo", "X"): there is no such item, did you mean "talos"?',
    ));
});

describe("a template that a node need not have", () => {
  test("is undefined where the file does not exist, also for several at once", async () =>
    expect(await Promise.all(["one.njk", "two.njk", "one.njk"].map((file) => renderIfThere(root, file, {})))).toEqual([
      undefined,
      undefined,
      undefined,
    ]));
  test("fails where a file that it includes does not exist", async () => {
    writeFileSync(join(root, "own.njk"), `{% include "absent.njk" %}\n`);
    await expect(renderIfThere(root, "own.njk", {})).rejects.toThrow("absent.njk is missing");
  });
});
