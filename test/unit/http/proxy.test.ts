import { expect, test } from "vitest";
import { proxyFor } from "../../../scripts/lib/http/proxy.ts";

const PROXY = "http://127.0.0.1:3128";

test.each([
  ["https://factory.talos.dev/x", "", PROXY],
  ["https://factory.talos.dev/x", "*", undefined],
  ["https://factory.talos.dev/x", "talos.dev", undefined],
  ["https://factory.talos.dev/x", ".talos.dev", undefined],
  ["https://factory.talos.dev/x", "*.talos.dev", undefined],
  ["https://factory.talos.dev/x", "notalos.dev, alos.dev", PROXY],
  ["https://factory.talos.dev/x", "talos.dev:443", undefined],
  ["https://factory.talos.dev/x", "talos.dev:8443", PROXY],
  ["https://192.168.120.10/x", "192.168.120.0/22", undefined],
  ["https://192.168.124.10/x", "192.168.120.0/22", PROXY],
  ["https://192.168.120.10/x", "192.168.120.10", undefined],
  ["https://[fd00::1]/x", "fd00::/8", undefined],
  ["https://[fd00::1]/x", "fd00::1", undefined],
  ["https://127.0.0.1:8443/x", "", undefined],
  ["https://localhost/x", "", undefined],
  ["https://[::1]/x", "", undefined],
  ["http://factory.talos.dev/x", "", undefined],
])("%s with NO_PROXY='%s' goes through %s", (url, NO_PROXY, proxy) =>
  expect(proxyFor(new URL(url), { HTTPS_PROXY: PROXY, NO_PROXY })).toBe(proxy),
);

test("the lower-case name wins", () =>
  expect(proxyFor(new URL("https://a.b"), { HTTPS_PROXY: "http://x", https_proxy: "" })).toBeUndefined());
