// pool.*, pool.dataset.* and filesystem.*.
import { era } from "../../world/nas/nas.ts";
import { type DatasetOptions, datasetRow, datasetRows, poolRow } from "../../world/nas/dataset-rows.ts";
import { createDataset, type DatasetSpec, deleteDataset, findDataset, usersOf } from "../../world/nas/datasets.ts";
import { listdir, mkdir, stat, statfs } from "../../world/nas/files.ts";
import type { QueryOptions, Row } from "../../world/nas/query.ts";
import { notFound, raised } from "../../world/nas/refusals.ts";
import { queryRows } from "./methods-core.ts";
import { answerOf, refuse, type Server } from "./server.ts";
import { stopVm } from "./power.ts";
import type { Call } from "./call.ts";
import type { Run } from "./call.ts";

function datasetEntry({ nas, around }: Server, id: string, options: DatasetOptions): Row {
  const dataset = findDataset(nas(), id);
  return dataset ? datasetRow(nas(), dataset, options, around) : refuse(notFound("PoolDataset", id));
}

/** VMs that use the dataset and run are told to stop first: 25.x does not wait for them, 26 does. */
async function deleteWithUsers(call: Call, id: string, options: { recursive: boolean; force: boolean }): Promise<true> {
  const { server } = call;
  const stopping = usersOf(server.nas(), id).map((vm) => stopVm(call, vm.id, { force: false, force_after_timeout: false }));
  if (era(server.nas()) === 26) await Promise.all(stopping.map((job) => server.jobs.ended(job)));
  return server.act("pool.dataset.delete", deleteDataset(server.nas(), id, options, server.around));
}

export const STORAGE: Record<string, Run> = {
  "pool.query": ({ server: { nas, around } }, filters: unknown[], options: QueryOptions) =>
    queryRows(
      nas().pools.map((pool) => poolRow(nas(), pool, around)),
      filters,
      options,
    ),
  "pool.dataset.query": ({ server: { nas, around } }, filters: unknown[], options: QueryOptions) =>
    queryRows(datasetRows(nas(), (options.extra ?? {}) as DatasetOptions, around), filters, options),
  "pool.dataset.get_instance": ({ server }, id: string, { extra = {} }: QueryOptions) => datasetEntry(server, id, extra as DatasetOptions),
  "pool.dataset.create": ({ server }, spec: DatasetSpec) => {
    const name = server.act("pool.dataset.create", createDataset(server.nas(), spec, server.around));
    return datasetEntry(server, name, {});
  },
  "pool.dataset.delete": deleteWithUsers,
  "filesystem.stat": ({ server }, path: string) => answerOf(stat(server.nas(), path)),
  "filesystem.statfs": ({ server }, path: string) => answerOf(statfs(server.nas(), path, server.around)),
  "filesystem.listdir": ({ server }, path: string, filters: unknown[], options: QueryOptions) =>
    queryRows(answerOf(listdir(server.nas(), path)), filters, options),
  "filesystem.mkdir": ({ server }, { path }: { path: string }) => server.act("filesystem.mkdir", mkdir(server.nas(), path)),
  // bytes come by /_upload; over the socket nothing is at the other end of the pipe
  "filesystem.put": ({ server, client, id }, path: string, options: object) =>
    server.jobs.start({
      method: "filesystem.put",
      arguments: [path, options],
      message: id,
      account: client.account!.username,
      run: async () => refuse(raised("RuntimeError", "Pipe 'input' is not open")),
    }),
};
