// Certificates that a Go program has to accept: names are compared byte by byte there.
import { X509Certificate } from "node:crypto";
import { expect, it } from "vitest";
import { bytesOf, createAuthority, issue, signerOf } from "../../simulators/world/certificates.ts";

it("the issuer stands in a certificate as the authority's own certificate has it, be its strings of another kind", () => {
  const made = createAuthority({ subject: { organizations: ["talos"] }, days: 1, kind: "ed25519" });
  // Go writes names as PrintableString (0x13); ours are UTF8String (0x0c), and of the same length
  const printable = Buffer.from(bytesOf(made.cert).toString("latin1").replaceAll("\x0c\x05talos", "\x13\x05talos"), "latin1");
  const theirs = `-----BEGIN CERTIFICATE-----\n${printable.toString("base64")}\n-----END CERTIFICATE-----`;
  const { cert } = issue(signerOf(theirs, made.key), { subject: { commonName: "k8s-0" }, days: 1 });
  expect(bytesOf(cert).toString("latin1")).toContain("\x13\x05talos");
  expect(bytesOf(cert).toString("latin1")).not.toContain("\x0c\x05talos");
  expect(new X509Certificate(cert).verify(new X509Certificate(made.cert).publicKey)).toBe(true);
});

it("the id of the authority's key is the one in its certificate", () => {
  const made = createAuthority({ subject: { organizations: ["kubernetes"] }, days: 1 });
  const own = bytesOf(made.cert);
  const at = own.indexOf(Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x0e])) + 9;
  own.fill(0xab, at, at + 20);
  const theirs = `-----BEGIN CERTIFICATE-----\n${own.toString("base64")}\n-----END CERTIFICATE-----`;
  const { cert } = issue(signerOf(theirs, made.key), { subject: { commonName: "kube-apiserver" }, days: 1 });
  expect(bytesOf(cert).includes(Buffer.alloc(20, 0xab))).toBe(true);
});
