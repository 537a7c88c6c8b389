// An etcd snapshot with one key in it: a bbolt file of four pages and the SHA-256 behind it, so that whoever checks snapshots takes it.
import { createHash } from "node:crypto";

const PAGE = 4096;
const FLAG = { leaf: 0x02, meta: 0x04, freelist: 0x10 };
/** A value that is itself a bucket. */
const BUCKET = 1;

type Item = { key: Buffer; value: Buffer; flags?: number };

function page(id: number, flags: number, count: number, fill: (page: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(PAGE);
  bytes.writeBigUInt64LE(BigInt(id), 0);
  bytes.writeUInt16LE(flags, 8);
  bytes.writeUInt16LE(count, 10);
  fill(bytes);
  return bytes;
}

/** Items as a leaf: heads of 16 bytes, then keys and values. */
function leaf(id: number, items: Item[]): { bytes: Buffer; used: number } {
  let at = 16 + items.length * 16;
  const bytes = page(id, FLAG.leaf, items.length, (bytes) => {
    for (const [index, { key, value, flags = 0 }] of items.entries()) {
      const head = 16 + index * 16;
      bytes.writeUInt32LE(flags, head);
      bytes.writeUInt32LE(at - head, head + 4);
      bytes.writeUInt32LE(key.length, head + 8);
      bytes.writeUInt32LE(value.length, head + 12);
      key.copy(bytes, at);
      value.copy(bytes, at + key.length);
      at += key.length + value.length;
    }
  });
  return { bytes, used: at };
}

/** A bucket small enough to stand in its parent: root page 0, then the leaf itself. */
function inline(items: Item[]): Buffer {
  const { bytes, used } = leaf(0, items);
  return Buffer.concat([Buffer.alloc(16), bytes.subarray(0, used)]);
}

function checksum(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash;
}

const meta = (id: number, transaction: number) =>
  page(id, FLAG.meta, 0, (bytes) => {
    const body = bytes.subarray(16);
    body.writeUInt32LE(0xed0cdaed, 0);
    body.writeUInt32LE(2, 4);
    body.writeUInt32LE(PAGE, 8);
    body.writeBigUInt64LE(3n, 16); // root page
    body.writeBigUInt64LE(2n, 32); // freelist
    body.writeBigUInt64LE(4n, 40); // pages in all
    body.writeBigUInt64LE(BigInt(transaction), 48);
    body.writeBigUInt64LE(checksum(body.subarray(0, 56)), 56);
  });

/** What etcd's own checker finds in these bytes, as the real one prints it. */
export const SNAPSHOT_INFO = "hash 371aab03, revision 42, total keys 1, total size 16384";

/** The bytes that `talosctl etcd snapshot` writes down and then opens. */
export function snapshotOf(revision = 42): Buffer {
  const key = Buffer.alloc(17);
  key.writeBigUInt64BE(BigInt(revision), 0);
  key[8] = 0x5f;
  const pair = Buffer.from("0a03666f6f2a03626172", "hex"); // foo=bar as etcd stores it
  const root = leaf(3, [
    { key: Buffer.from("key"), value: inline([{ key, value: pair }]), flags: BUCKET },
    {
      key: Buffer.from("meta"),
      value: inline([{ key: Buffer.from("consistent_index"), value: Buffer.from("0000000000000001", "hex") }]),
      flags: BUCKET,
    },
  ]);
  const database = Buffer.concat([meta(0, 2), meta(1, 1), page(2, FLAG.freelist, 0), root.bytes]);
  return Buffer.concat([database, createHash("sha256").update(database).digest()]);
}
