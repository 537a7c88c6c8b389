// Test files share their modules. What one of them leaves in a module (a closed gate, a clock that stands still) must not reach the next one.
import { beforeEach } from "vitest";
import { openGate } from "../../scripts/lib/run/effects.ts";
import { silentReport } from "../../scripts/lib/run/report.ts";
import { realClock, useClock } from "../../scripts/lib/run/wait.ts";

beforeEach(() => {
  openGate(silentReport, false);
  useClock(realClock);
});
