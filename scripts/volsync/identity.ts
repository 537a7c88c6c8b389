// Which Kopia repository belongs to this home. Until that is recorded, an empty or wrong path on the NAS gets a new repository, and every application would start empty.
import { join } from "node:path";
import type { Context } from "../lib/run/context.ts";
import { Failure } from "../lib/run/errors.ts";
import type { KubernetesObject } from "../lib/kubernetes/kubernetes.ts";
import type { ClusterAccess } from "../lib/kubernetes/access.ts";
import { describeStep } from "../lib/run/plan.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { JOB, readIdentity, withIdentity } = await toAct(() => import("../lib/backup/identity.ts"));
const { explained } = await toAct(() => import("../lib/run/explained.ts"));
const { readIfThere, writeFile } = await toAct(() => import("../lib/run/files.ts"));
const { steady } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { readJson } = await toAct(() => import("../lib/run/tool-output.ts"));

const FILE = "talos/cluster.yaml";
const PUBLISH = "task configure, then commit and push";

export const identity = procedure({
  name: "volsync:identity",
  about: "record the identity of the Kopia repository, so that no other is created",
  options: {},
  async run(_values, context) {
    const { cluster, root, ui } = context;
    const seen = await openedIdentity(await expectOurCluster(context));
    const recorded = cluster.nas.kopiaRepository;
    if (recorded !== undefined && recorded !== seen)
      throw new Failure({
        attempted: "record the identity of the Kopia repository",
        said: `the repository at ${where(context)} is ${seen}, ${FILE} records ${recorded}`,
        now: "nothing was changed",
        next: "compare nas.address and nas.exports.kopia with the NAS; remove nas.kopiaRepository only if the recorded repository is given up",
      });
    ui.result({ recorded: recorded ?? null, repository: seen }, `the repository at ${where(context)} is ${seen}`);
    if (recorded === seen) return ui.say(`${FILE} records it (nas.kopiaRepository)`);
    const file = join(root, FILE);
    const { after } = await context.confirm(async () => {
      const step = { action: `write nas.kopiaRepository: ${seen} into`, target: FILE };
      const written = await withIdentity((await readIfThere(file))!, seen);
      if (written !== undefined) return { title: "volsync:identity", lines: [describeStep(step)], steps: [step], after: written };
      throw new Failure({
        attempted: `write nas.kopiaRepository into ${FILE}`,
        said: "the nas section has a form that cannot be edited",
        now: "nothing was changed",
        next: `add kopiaRepository: "${seen}" to nas by hand, then: ${PUBLISH}`,
      });
    });
    await writeFile(file, after);
    ui.say(`${FILE} records it; it takes effect with: ${PUBLISH}`);
  },
});

const where = ({ cluster: { nas } }: Context) => `${nas.address}:${nas.exports.kopia ?? "?"}`;

/** The repository that the Job opened last. */
async function openedIdentity(access: ClusterAccess): Promise<string> {
  const label = `batch.kubernetes.io/job-name=${JOB.name}`;
  const got = await explained({ attempted: `read the pods of Job ${JOB.namespace}/${JOB.name}` }, () =>
    steady(() => access.ask`kubectl get pods --namespace ${JOB.namespace} --selector ${label} --output json`.text()),
  );
  const source = { command: `kubectl get pods --namespace ${JOB.namespace} --output json` };
  const seen = readIdentity(readJson<{ items: KubernetesObject[] }>(got, source, { items: [{ metadata: { name: "" } }] }).items);
  if ("identity" in seen) return seen.identity;
  const again = `kubectl --namespace ${JOB.namespace} delete job ${JOB.name} && flux --namespace ${JOB.namespace} reconcile kustomization ${JOB.name}`;
  throw new Failure({
    attempted: `read which repository the Job ${JOB.namespace}/${JOB.name} opened`,
    said: "failed" in seen ? seen.failed : seen.waiting,
    now: "nothing was changed",
    next:
      "failed" in seen
        ? `kubectl --namespace ${JOB.namespace} logs job/${JOB.name}`
        : `${again}; once it is complete: task volsync:identity`,
  });
}

await main(import.meta, identity);
