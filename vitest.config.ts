import { defineConfig } from "vitest/config";

// No test fails because a machine is slow: these limits only stop a test that hangs, and no test sets a shorter one.
const HANGS_MS = { unit: 120_000, lab: 900_000, conformance: 1_800_000 };
const UNIT = ["test/unit/**/*.test.ts"];
/** Tests that put another module in a module's place: each has its own modules. */
const APART = [
  "test/unit/bootstrap/refused.test.ts", // what helmfile printed is kept for the whole process
  "test/unit/run/json-output.test.ts", // runs every procedure, each with an environment of its own
  "test/unit/ledger/leftovers.test.ts",
  "test/unit/secrets/inject.test.ts",
  "test/unit/secrets/op.test.ts",
  "test/unit/talos/kubeconfig.test.ts",
  "test/unit/talos/prepare-iso.test.ts",
  "test/unit/talos/schematic.test.ts",
  "test/unit/truenas/session.test.ts",
  "test/unit/hypervisor/deploy.test.ts",
];

export default defineConfig({
  test: {
    maxWorkers: 2,
    globalSetup: ["test/own-temp-folder.ts"],
    coverage: {
      provider: "v8",
      reporter: ["text-summary"],
      include: ["scripts/**/*.ts"],
      exclude: ["scripts/**/*.d.ts"],
      thresholds: { lines: 80, branches: 80 },
    },
    projects: [
      // one process for all: a module is loaded once, not once a file
      {
        extends: true,
        test: {
          name: "unit",
          include: UNIT,
          exclude: APART,
          isolate: false,
          setupFiles: ["test/unit/setup.ts"],
          testTimeout: HANGS_MS.unit,
          hookTimeout: HANGS_MS.unit,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "unit-apart",
          include: APART,
          setupFiles: ["test/unit/setup.ts"],
          testTimeout: HANGS_MS.unit,
          hookTimeout: HANGS_MS.unit,
          sequence: { groupOrder: 0 },
        },
      },
      // against the real tools: `npm run test:integration`, which builds nothing and fails without them
      {
        extends: true,
        test: {
          name: "conformance",
          // CLUSTER= names one that is really there: nothing but the read-only part runs then
          include: process.env.CLUSTER ? ["test/conformance/live.test.ts"] : ["test/conformance/**/*.test.ts"],
          testTimeout: HANGS_MS.conformance,
          hookTimeout: HANGS_MS.conformance,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "lab",
          include: ["test/lab/**/*.test.ts"],
          globalSetup: ["test/lab/record/global.ts"],
          setupFiles: ["test/lab/record/setup.ts"],
          testTimeout: HANGS_MS.lab,
          hookTimeout: HANGS_MS.lab,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
