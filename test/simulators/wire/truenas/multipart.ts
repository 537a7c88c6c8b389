// Reads a multipart body as it streams in: the parts one after the other, each with its bytes as they come.

export interface Part {
  /** Of its content-disposition; undefined when it has none. */
  name: string | undefined;
  bytes: AsyncIterable<Buffer>;
}

/** The body is no multipart of this boundary, or it broke off. */
export class Malformed extends Error {}

const HEAD_END = Buffer.from("\r\n\r\n");

/** The parts of a body; the bytes of one must be read before the next is asked for. */
export async function* readParts(body: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  const source = body[Symbol.asyncIterator]();
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  let held: Buffer = Buffer.from("\r\n"); // so that the first delimiter looks like the others
  const more = async () => {
    const { value, done } = await source.next();
    if (done) throw new Malformed("the body broke off");
    held = Buffer.concat([held, value as Buffer]);
  };
  const until = async (what: Buffer) => {
    while (!held.includes(what)) await more();
    const at = held.indexOf(what);
    const before = held.subarray(0, at);
    held = held.subarray(at + what.length);
    return before;
  };
  async function* content(): AsyncGenerator<Buffer> {
    for (;;) {
      const at = held.indexOf(delimiter);
      if (at >= 0) {
        if (at > 0) yield held.subarray(0, at);
        held = held.subarray(at + delimiter.length);
        return;
      }
      // the end of what is there may be the beginning of a delimiter
      const sure = held.length - delimiter.length;
      if (sure > 0) {
        yield held.subarray(0, sure);
        held = held.subarray(sure);
      }
      await more();
    }
  }
  await until(delimiter);
  for (;;) {
    while (held.length < 2) await more();
    if (held.subarray(0, 2).toString() === "--") return;
    const head = (await until(HEAD_END)).toString();
    const name = /^content-disposition:[^\r\n]*?[; ]name="?([^";\r\n]*)"?/im.exec(head)?.[1];
    const bytes = content();
    yield { name, bytes };
    while (!(await bytes.next()).done); // whoever asked for the part may not have wanted all of it
  }
}
