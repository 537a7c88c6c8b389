import { beforeEach, expect, test, vi } from "vitest";
import { UnknownOutcome } from "../../../scripts/lib/truenas/refusal.ts";
import { ensure } from "../../../scripts/lib/truenas/ensure.ts";
import { useClock } from "../../../scripts/lib/run/wait.ts";
import { stillClock } from "../recorder.ts";
import { refusal } from "./fake-nas.ts";

const ui = { progress: () => {} };
const { signal } = new AbortController();
beforeEach(() => useClock(stillClock()));

/** Runs `ensure` on a thing that appears after so many looks. */
function attempt(make: () => Promise<unknown>, looks: number) {
  let seen = 0;
  return ensure({ thing: "VM k8s_0", make, look: async () => (++seen > looks ? "VM" : undefined), ui, signal });
}
type Make = () => Promise<unknown>;
const lost = () => Promise.reject(new UnknownOutcome("lost"));

test("made and seen", async () => expect(await attempt(async () => {}, 0)).toBe("VM"));
test("it may take a moment to show", async () => expect(await attempt(async () => {}, 3)).toBe("VM"));
test("yes was said, and nothing is there", async () =>
  await expect(attempt(async () => {}, 1000)).rejects.toThrow(
    "could not make VM k8s_0\n  said: TrueNAS reported success\n  now:  it does not exist",
  ));

test("a lost reply after it took place: made once", async () => {
  const make = vi.fn<Make>(lost);
  expect(await attempt(make, 2)).toBe("VM");
  expect(make).toHaveBeenCalledTimes(1);
});

test("a lost request: made again", async () => {
  const make = vi.fn<Make>().mockImplementationOnce(lost).mockResolvedValue(null);
  expect(await attempt(make, 10)).toBe("VM");
  expect(make).toHaveBeenCalledTimes(2);
});

test("the second try is refused since the first had worked, only late", async () => {
  const make = vi
    .fn<Make>()
    .mockImplementationOnce(lost)
    .mockRejectedValue(refusal("vm.create", "exists", 17));
  expect(await attempt(make, 7)).toBe("VM");
});

test("a refusal at the first try is final", async () => {
  const make = vi.fn<Make>().mockRejectedValue(refusal("vm.create", "[EINVAL] no"));
  await expect(attempt(make, 0)).rejects.toThrow("[EINVAL] no");
  expect(make).toHaveBeenCalledTimes(1);
});

test("after three lost tries nobody knows", async () => {
  const make = vi.fn<Make>(lost);
  await expect(attempt(make, 1000)).rejects.toThrow(UnknownOutcome);
  expect(make).toHaveBeenCalledTimes(3);
});
