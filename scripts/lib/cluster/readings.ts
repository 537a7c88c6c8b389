// Reads single values of talos/cluster.yaml. This file knows neither YAML nor zod.
import { isAddress, isNetwork, networkOf } from "./address.ts";
import { nearest } from "../text/nearest.ts";
import { orList, show } from "./show.ts";

/** The value, or the problem: "… (hint)". */
export type Reading<T> = { value: T } | { wrong: string };

const wrong = (what: string, hint: string) => ({ wrong: `${what} (${hint})` });

export function readAddress(typed: string): Reading<string> {
  if (isAddress(typed)) return { value: typed };
  if (isNetwork(typed)) return wrong(`${show(typed)} has a prefix, which an address does not take`, `write ${typed.split("/")[0]}`);
  return wrong(`${show(typed)} is not an IPv4 address`, "four numbers from 0 to 255, for example 192.168.122.10");
}

export function readNetwork(typed: string): Reading<string> {
  if (isAddress(typed)) return wrong(`${show(typed)} has no prefix`, `add the size of the network, for example 192.168.120.0/22`);
  if (!isNetwork(typed)) return wrong(`${show(typed)} is not an IPv4 network`, "address and prefix, for example 192.168.120.0/22");
  return networkOf(typed) === typed
    ? { value: typed }
    : wrong(`${show(typed)} names an address inside a network`, `the network is ${networkOf(typed)}`);
}

/** The canonical form of a MAC address, whatever its separators. */
export const canonicalMac = (mac: string) =>
  mac
    .toLowerCase()
    .replaceAll(/[:.-]/g, "")
    .replaceAll(/(..)(?=.)/g, "$1:");

/** Any case, colons, dashes or nothing between the pairs → lower case with colons. */
export function readMac(typed: string): Reading<string> {
  const digits = typed.toLowerCase().replaceAll(/[:-]/g, "");
  if (!/^[0-9a-f]{12}$/.test(digits) || !/^[0-9a-f]{2}([:-]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i.test(typed))
    return wrong(`${show(typed)} is not a MAC address`, "six pairs of hex digits, for example 00:a0:98:28:c8:83");
  const value = canonicalMac(typed);
  if (digits === "0".repeat(12))
    return wrong(
      `${typed} is not the address of a network card`,
      "use the one that the hypervisor shows, or choose one, for example 02:00:00:00:00:01",
    );
  const first = Number.parseInt(digits.slice(0, 2), 16);
  if (first & 1)
    return wrong(
      `${typed} is a multicast address, which a network card cannot have`,
      `the first pair must be even, for example ${(first - 1).toString(16).padStart(2, "0")}${value.slice(2)}`,
    );
  return { value };
}

/** The URL of the API server, at the VIP of the control planes. */
export function readEndpoint(typed: string): Reading<{ url: string; address: string; port: number }> {
  const example = "for example https://192.168.120.100:6443";
  const [, scheme, host, port, rest] = /^(?:([a-z]+):\/\/)?([^/:]+)(?::(\d+))?(.*)$/i.exec(typed) ?? [];
  if (scheme !== "https" || host === undefined) return wrong(`${show(typed)} is not an https URL`, example);
  if (!isAddress(host))
    return wrong(`${show(host)} is not an IPv4 address`, `the control planes share an address, and the URL must contain it, ${example}`);
  if (port === undefined) return wrong(`${show(typed)} has no port`, `the API server listens on 6443: https://${host}:6443`);
  if (Number(port) < 1 || Number(port) > 65_535)
    return wrong(`${port} is not a port`, "a number from 1 to 65535; the API server listens on 6443");
  if (rest !== "" && rest !== "/") return wrong(`${show(typed)} has a path`, `only https://${host}:${port}`);
  return { value: { url: `https://${host}:${Number(port)}`, address: host, port: Number(port) } };
}

const UNITS: Record<string, number> = { MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, MB: 1e6, GB: 1e9, TB: 1e12 };
const UNIT_NAMES = Object.keys(UNITS);

/** `48GiB` → bytes. */
export function readSize(typed: string): Reading<number> {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(typed) ?? [];
  if (amount === undefined || unit === undefined)
    return wrong(`${show(typed)} is not a size`, "a number and a unit, for example 48GiB or 500GB");
  if (unit === "") return wrong(`${show(typed)} has no unit`, `${amount}GiB or ${amount}GB? Units are ${orList(UNIT_NAMES)}`);
  const factor = UNITS[unit];
  if (factor === undefined) {
    const near =
      UNIT_NAMES.find((known) => known.toLowerCase() === unit.toLowerCase()) ??
      UNIT_NAMES.find((known) => known[0] === unit[0]?.toUpperCase());
    return wrong(`${show(unit)} is not a unit of size`, `${near ? `${amount}${near}? ` : ""}Units are ${orList(UNIT_NAMES)}`);
  }
  return { value: Math.round(Number(amount) * factor) };
}

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/** A DNS name with at least two parts. */
export function readDomain(typed: string): Reading<string> {
  if (typed.length <= 253 && new RegExp(`^${LABEL}(?:\\.${LABEL})+$`).test(typed)) return { value: typed };
  const near = typed
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, "")
    .replace(/[/.]+$/, "");
  return wrong(
    `${show(typed)} is not a domain`,
    near !== typed && near.includes(".") ? `write ${near}` : "lower-case letters, digits and dashes between dots, for example example.com",
  );
}

/** An IPv4 address or a DNS name. */
export function readHost(typed: string): Reading<string> {
  const host = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
  if (isAddress(typed) || (host.test(typed) && !/^[\d.]+$/.test(typed))) return { value: typed };
  return wrong(`${show(typed)} is neither an IPv4 address nor a host name`, "only the host, without scheme, port or path");
}

/** A name exactly as in the time zone database: containers look it up case-sensitively. */
export function readTimezone(typed: string): Reading<string> {
  const known = Intl.supportedValuesOf("timeZone");
  if (known.includes(typed) || isOldName(typed)) return { value: typed };
  const near = nearest(typed, [...known, "Etc/UTC"]);
  return wrong(`${show(typed)} is not a time zone`, near ? `did you mean ${near}?` : "for example Europe/Zurich or America/New_York");
}

/** UTC, and deprecated names such as US/Eastern. Intl also accepts other cases and offsets; the database does not. */
function isOldName(name: string): boolean {
  if (!/^[A-Z][\w+-]*(?:\/[A-Z][\w+-]*)*$/.test(name)) return false;
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
