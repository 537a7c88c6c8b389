// The Job that opens the Kopia repository on the NAS. A path has always the same repository, also for a cluster that is built anew; the Job reports it as its termination message.
import { createHash } from "node:crypto";
import type { KubeObject } from "./state.ts";

/** How such a Job's container ends; undefined for every other Job. */
export function kopiaEnding({ spec }: KubeObject): { exitCode: number; message: string } | undefined {
  const pod = spec?.template?.spec;
  const wanted = pod?.containers?.[0]?.env?.find(({ name }: any) => name === "KOPIA_REPOSITORY_ID");
  const nfs = pod?.volumes?.find((volume: any) => volume.nfs)?.nfs;
  if (!wanted || !nfs) return undefined;
  const id = createHash("sha256").update(`${nfs.server}:${nfs.path}`).digest("hex");
  if (!wanted.value || wanted.value === id) return { exitCode: 0, message: id };
  return {
    exitCode: 1,
    message: `This is another repository: it is ${id}, and nas.kopiaRepository in talos/cluster.yaml records ${wanted.value}.`,
  };
}
