// Names, VM names and MACs of the nodes are unique.
import type { Finding, Read } from "../findings.ts";
import { vmName, wrongName } from "../node-names.ts";
import { readMac } from "../readings.ts";

export const checkNodes = (read: Read): Finding[] => {
  const names = column(read, "name");
  return [
    ...names.flatMap((name, index) => finding(index, "name", name === undefined ? undefined : wrongName(name))),
    ...repeated(names).flatMap(({ index, first }) =>
      finding(index, "name", `${names[index]} is already the name of nodes[${first}] (each needs its own)`),
    ),
    ...repeated(names.map((name) => name && vmName(name)))
      .filter(({ index, first }) => names[index] !== names[first])
      .flatMap(({ index, first }) =>
        finding(
          index,
          "name",
          `its VM would have the name ${vmName(names[index]!)}, which is also the VM of nodes[${first}] (${names[first]})`,
        ),
      ),
    ...repeated(column(read, "mac").map((mac) => mac && canonical(mac))).flatMap(({ index, first }) =>
      finding(index, "mac", `${read("nodes", index, "mac")} is already the MAC of nodes[${first}] (each needs its own)`),
    ),
  ];
};

/** An even number of control planes is allowed, but gains nothing. */
export function oddNumbers(read: Read): Finding[] {
  const count = read<unknown[]>("nodes")?.length ?? 0;
  if (count % 2 === 1 || count === 0) return [];
  return [
    {
      path: ["nodes"],
      message: `${count} control planes are an even number: etcd does not survive the loss of more of them than with ${count - 1}`,
    },
  ];
}

const column = (read: Read, field: string): (string | undefined)[] =>
  (read<unknown[]>("nodes") ?? []).map((_, index) => read("nodes", index, field));

const finding = (index: number, field: string, message: string | undefined): Finding[] =>
  message === undefined ? [] : [{ path: ["nodes", index, field], message }];

const repeated = (values: (string | undefined)[]) =>
  values.flatMap((value, index) => {
    const first = value ? values.indexOf(value) : index;
    return first < index ? [{ index, first }] : [];
  });

function canonical(mac: string): string {
  const reading = readMac(mac);
  return "value" in reading ? reading.value : mac;
}
