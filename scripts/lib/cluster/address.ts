// IPv4 arithmetic on top of ip-address: containment, overlap, first and last address.
import { Address4 } from "ip-address";

/** Inclusive. */
export interface Span {
  first: number;
  last: number;
}

/** A plain IPv4 address, without a prefix and without leading zeros. */
export const isAddress = (text: string): boolean => !text.includes("/") && Address4.isValid(text);

/** `192.168.120.0/22`, host bits or not. */
export const isNetwork = (text: string): boolean => text.includes("/") && Address4.isValid(text);

/** 192.168.0.1 → 3232235521. */
export const numberOf = (address: string): number => Number(new Address4(address).bigInt());

/** 3232235521 → 192.168.0.1. */
export const textOf = (address: number): string => Address4.fromBigInt(BigInt(address)).correctForm();

/** The network of an address with a prefix: 192.168.122.10/22 → 192.168.120.0/22. */
export const networkOf = (text: string): string => new Address4(text).networkForm();

/** First and last address of a network. */
export function spanOf(network: string): Span {
  const read = new Address4(network);
  return { first: Number(read.startAddress().bigInt()), last: Number(read.endAddress().bigInt()) };
}

/** 22 of 192.168.120.0/22. */
export const prefixOf = (network: string): number => new Address4(network).subnetMask;

export const lies = (address: string, span: Span): boolean => {
  const at = numberOf(address);
  return span.first <= at && at <= span.last;
};

export const overlaps = (a: string, b: string): boolean => {
  const [one, other] = [spanOf(a), spanOf(b)];
  return one.first <= other.last && other.first <= one.last;
};
