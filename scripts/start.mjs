// Starts TypeScript scripts: `node --import ./scripts/start.mjs scripts/talos/status.ts`. tsx alone ends in a stack trace when it is not installed.
await import("./packages.mjs"); // exits when packages are missing
await import("tsx");
