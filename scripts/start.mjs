// Starts TypeScript scripts: `node --import ./scripts/start.mjs scripts/talos/status.ts`.
import module from "node:module";
await import("./packages.mjs"); // exits when packages are missing: tsx alone would end in a stack trace
module.enableCompileCache?.(); // Node 22.1 and later
if (!process.features.typescript) await import("tsx"); // a Node that reads TypeScript itself starts faster without it
