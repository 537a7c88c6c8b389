import { describe, expect, test } from "vitest";
import { readAddress } from "../../../scripts/lib/truenas/address.ts";
import { whyRefused, readTrust } from "../../../scripts/lib/truenas/certificate.ts";
import { explain } from "../../../scripts/lib/truenas/login.ts";
import { isAbsent, isBusy, isLoggedOut, isMethodAbsent, NasRefused } from "../../../scripts/lib/truenas/refusal.ts";
import { chooseApi } from "../../../scripts/lib/truenas/versions.ts";
import { frame } from "../../../scripts/lib/truenas/upload.ts";
import { createAuthority, fingerprint } from "../../simulators/world/certificates.ts";

describe("the NAS's address", () => {
  test.each([
    ["nas.lan", "nas.lan:443"],
    ["192.168.120.10:8443", "192.168.120.10:8443"],
    ["https://nas.lan/", "nas.lan:443"],
    ["wss://nas.lan:444", "nas.lan:444"],
    ["[fd00::1]", "[fd00::1]:443"],
  ])("%s is %s", (typed, address) => expect(readAddress(typed, "TRUENAS_HOST")).toBe(address));

  test.each(["http://nas.lan", "ws://nas.lan", "WS://nas.lan"])("%s is refused: the key would be revoked", (typed) =>
    expect(() => readAddress(typed, "TRUENAS_HOST")).toThrow("without TLS: TrueNAS revokes an API key"),
  );

  test.each(["", "nas.lan/api", "a b"])("'%s' is no host", (typed) =>
    expect(() => readAddress(typed, "TRUENAS_HOST")).toThrow("TRUENAS_HOST holds no host"),
  );
});

describe("whom to trust", () => {
  const hex = "ab".repeat(32);
  const pin = "AB:".repeat(32).slice(0, -1);

  test.each([hex, pin, `SHA256:${hex}`, `sha256 Fingerprint=${pin}`])("a fingerprint in any usual form: %s", (typed) =>
    expect(readTrust(typed, "C")).toEqual({ pins: [pin] }),
  );

  test("a PEM is a CA, and pins itself", () => {
    const { cert } = createAuthority({ subject: { commonName: "localhost" }, days: 1 });
    const trust = readTrust(`\n${cert}`, "C");
    expect(trust.pins).toEqual([fingerprint(cert)]);
    expect(trust.ca).toBe(cert.trim());
  });

  test.each(["nonsense", "AB:CD", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])(
    "anything else is refused: %s",
    (typed) => expect(() => readTrust(typed, "TRUENAS_CERTIFICATE")).toThrow("TRUENAS_CERTIFICATE holds"),
  );

  test.each([
    ["the pinned one", { pins: [pin] }, { fingerprint: pin, authorized: false }, undefined],
    [
      "another than the pinned one, though a CA vouches for it",
      { pins: [pin] },
      { fingerprint: "CC", authorized: true },
      "it is not the pinned certificate",
    ],
    ["signed by the CA", { pins: ["AA"], ca: "pem" }, { fingerprint: "CC", authorized: true }, undefined],
    [
      "the given certificate itself, under another name",
      { pins: ["CC"], ca: "pem" },
      { fingerprint: "CC", authorized: false, error: "ERR_TLS_CERT_ALTNAME_INVALID" },
      undefined,
    ],
    [
      "not signed by the CA",
      { pins: ["AA"], ca: "pem" },
      { fingerprint: "CC", authorized: false, error: "SELF_SIGNED" },
      "it was not issued by the given CA: SELF_SIGNED",
    ],
  ] as const)("%s", (_, trust, shown, verdict) => expect(whyRefused({ ...trust, pins: [...trust.pins] }, shown)).toBe(verdict));
});

describe("the API's version", () => {
  test.each([
    ["25.04.2", ["v25.04.0", "v25.04.1", "v25.04.2"], "v25.04.2"],
    ["25.10.6", ["v25.04.2", "v25.10.0", "v25.10.5"], "v25.10.5"],
    ["26", ["v25.10.4", "v26.0.0"], "v26.0.0"],
    ["27, in any order", ["v27.0.0", "v25.04.2", "v26.0.0"], "v27.0.0"],
    ["a server newer than we know speaks ours too", ["v27.0.0", "v28.04.0"], "v27.0.0"],
  ])("TrueNAS %s", (_, listed, version) => expect(chooseApi(listed)).toEqual({ version }));

  test("only newer ones: the server's own, with a warning", () =>
    expect(chooseApi(["v28.04.0"])).toMatchObject({ version: "current", warning: expect.stringContaining("v28.04.0") }));

  test.each([[["v25.04.0", "v25.04.1"]], [[]], [["rubbish"]]])("%j is too old", (listed) =>
    expect(() => chooseApi(listed)).toThrow("update TrueNAS to 25.04.2 or newer"),
  );
});

describe("a login that did not work says why", () => {
  test("SUCCESS is one that did", () => expect(explain({ response_type: "SUCCESS" })).toBeUndefined());
  test.each([
    ["AUTH_ERR", "the key is wrong"],
    ["EXPIRED", "used without TLS"],
    ["OTP_REQUIRED", "two-factor"],
    ["DENIED", "may not use the API"],
    ["NEWS", "NEWS: unknown answer"],
  ])("%s", (response_type, words) => expect(explain({ response_type })).toContain(words));
  test("REDIRECT names the other node", () =>
    expect(explain({ response_type: "REDIRECT", urls: ["https://nas-b"] })).toContain("use https://nas-b"));
});

describe("what TrueNAS refuses", () => {
  const refused = (error: object) => new NasRefused("vm.create", { code: -32001, message: "Method call error", ...error });

  test("every field of a validation error is told, the trace never", () => {
    const error = refused({
      code: -32602,
      message: "Invalid params",
      data: {
        error: 22,
        reason: "…",
        trace: { formatted: "hunter2" },
        extra: [
          ["vm_create.name", "Only alphanumeric characters are allowed.", 22],
          [null, "VM 5 does not exist", 2],
        ],
      },
    });
    expect(error.message).toBe(
      "could not vm.create\n  said: vm_create.name: Only alphanumeric characters are allowed.\n        VM 5 does not exist",
    );
    expect(isAbsent(error)).toBe(true);
  });

  test("without fields the reason, without a reason the bare message", () => {
    expect(refused({ data: { error: 12, reason: "[ENOMEM] Cannot guarantee memory for guest k8s_0" } }).account.said).toBe(
      "[ENOMEM] Cannot guarantee memory for guest k8s_0",
    );
    expect(refused({ code: -32601, message: "Method does not exist" }).account.said).toBe("Method does not exist (-32601)");
  });

  test("refusals that are told apart", () => {
    expect(isBusy(refused({ code: -32000 }))).toBe(true);
    expect(isLoggedOut(refused({ data: { error: 207 } }))).toBe(true);
    expect(isMethodAbsent(refused({ code: -32601 }))).toBe(true);
    expect(isMethodAbsent(refused({ data: { error: 201 } }))).toBe(true);
    expect([isBusy, isLoggedOut, isMethodAbsent, isAbsent].some((is) => is(refused({ data: { error: 16 } })))).toBe(false);
  });
});

test("an upload's frame: the call first, then the file", () => {
  const [head, tail] = frame("b", "/mnt/flashstor/ISO/talos.iso");
  expect(head.toString()).toBe(
    '--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n{"method":"filesystem.put","params":["/mnt/flashstor/ISO/talos.iso",{"mode":420}]}\r\n' +
      '--b\r\nContent-Disposition: form-data; name="file"; filename="talos.iso"\r\nContent-Type: application/octet-stream\r\n\r\n',
  );
  expect(tail.toString()).toBe("\r\n--b--\r\n");
});
