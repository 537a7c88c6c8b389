// core.* and system.*: pings, subscriptions, jobs, what kind of server this is.
import { randomUUID } from "node:crypto";
import { era } from "../../world/nas/nas.ts";
import { failed, invalid, untaught } from "../../world/nas/refusals.ts";
import { type QueryOptions, query, type Row } from "../../world/nas/query.ts";
import { interfaceRows } from "../../world/nas/interfaces.ts";
import { resultOf } from "./jobs.ts";
import { refuse } from "./server.ts";
import type { Run } from "./call.ts";

/** Filters rows by the query language, or refuses. */
export function queryRows(rows: readonly Row[], filters: unknown[], options: QueryOptions): unknown {
  const found = query(rows, filters, options);
  return "error" in found ? refuse(found.error) : found.rows;
}

const COLLECTIONS = ["core.get_jobs", "vm.query", "*"];

/** `TrueNAS-25.10.5`. */
const releaseOf = (version: string) => (version === "26.0.0" ? "26.0.0-BETA.3" : version === "25.10.5" ? "25.10.6" : "25.04.2.6");

export const CORE: Record<string, Run> = {
  "core.ping": () => "pong",
  "core.set_options": ({ client, server }, options: { legacy_jobs?: boolean }) => {
    if (era(server.nas()) === 2504)
      return options.legacy_jobs === undefined ? null : refuse(invalid(["options.legacy_jobs", "Extra inputs are not permitted"]));
    client.legacyJobs = options.legacy_jobs ?? client.legacyJobs;
    return { legacy_jobs: client.legacyJobs, private_methods: false, py_exceptions: false };
  },
  "core.subscribe": ({ client }, name: string) => {
    if (!COLLECTIONS.includes(name)) return refuse(untaught(`the collection ${name}`));
    const id = randomUUID();
    client.subscriptions.set(id, name);
    return id;
  },
  "core.unsubscribe": ({ client }, id: string) => {
    client.subscriptions.delete(id);
    return null;
  },
  "core.get_jobs": ({ server }, filters: unknown[], options: QueryOptions) =>
    queryRows(server.jobs.rows() as unknown as Row[], filters, options),
  "core.job_wait": ({ server, client, id }, job: number) => {
    const { jobs } = server;
    if (!jobs.rows().some((row) => row.id === job)) return refuse(failed(`Job ${job} does not exist`));
    return jobs.start({
      method: "core.job_wait",
      arguments: [job],
      message: id,
      account: client.account!.username,
      run: async () => resultOf(await jobs.ended(job)),
    });
  },
  "core.job_abort": ({ server }, job: number) => {
    server.jobs.abort(job);
    return null;
  },
  "system.ready": () => true,
  "system.state": () => "READY",
  "system.version": ({ server }) => `TrueNAS-${releaseOf(server.nas().version)}`,
  "system.version_short": ({ server }) => releaseOf(server.nas().version),
  "system.boot_id": ({ server }) => server.bootId,
  "system.info": ({ server }) => {
    const { version, hostname, memory } = server.nas();
    const now = server.world.now();
    const up = Math.floor(process.uptime());
    return {
      version: releaseOf(version),
      buildtime: { $date: Date.parse("2026-01-01T00:00:00Z") },
      hostname,
      physmem: memory,
      model: "AMD EPYC 7302P 16-Core Processor",
      cores: 32,
      physical_cores: 16,
      loadavg: [0.5, 0.4, 0.3],
      uptime: `${Math.floor(up / 3600)}:${String(Math.floor(up / 60) % 60).padStart(2, "0")}:${String(up % 60).padStart(2, "0")}`,
      uptime_seconds: up,
      system_serial: null,
      system_product: "Simulated home",
      system_product_version: null,
      license: null,
      boottime: { $date: now - up * 1000 },
      datetime: { $date: now },
      timezone: "America/New_York",
      system_manufacturer: null,
      ecc_memory: true,
    };
  },
  "interface.query": ({ server }, filters: unknown[], options: QueryOptions) => queryRows(interfaceRows(server.nas()), filters, options),
};
