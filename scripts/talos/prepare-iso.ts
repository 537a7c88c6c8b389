// Has the Image Factory build the Talos ISO for this home's schematic, and puts it on the NAS, once.
import type { Context } from "../lib/run/context.ts";
import { Failure } from "../lib/run/errors.ts";
import type { Http } from "../lib/http/http.ts";
import type { IsoWanted } from "../lib/hypervisor/talos-iso.ts";
import type { Plan } from "../lib/run/plan.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import type { Nas } from "../lib/truenas/nas.ts";
import { toAct } from "../lib/run/to-act.ts";

const { askImage } = await toAct(() => import("../lib/talos/factory.ts"));
const { openHttp } = await toAct(() => import("../lib/http/http.ts"));
const { requireTruenas } = await toAct(() => import("../lib/hypervisor/supported.ts"));
const { describeIso, makeIso, wantedIso } = await toAct(() => import("../lib/hypervisor/talos-iso.ts"));
const { faultOfFolder, faultOfIso, isoStep, readIsoState } = await toAct(() => import("../lib/truenas/iso.ts"));
const { connectNas } = await toAct(() => import("../lib/truenas/nas.ts"));

const NEXT = "task talos:prepare-iso";

export const prepareIso = procedure({
  name: "talos:prepare-iso",
  about: "build the Talos ISO at the image factory and put it on the NAS",
  options: {},
  async run(_values, context) {
    const { cluster, ui } = context;
    requireTruenas(cluster.hypervisor, prepareIso.name);
    const wanted = await wantedIso(context); // before a connection is open that a failure would leave
    const nas = await connectNas(context);
    try {
      const http = openHttp(context);
      const { steps, image } = await context.confirm(() => planIso(context, nas, http, wanted));
      if (steps.length === 0)
        return ui.say(`${wanted.path} is there${"size" in image ? "" : ` (its size is not compared: ${image.unknown})`}`);
      await makeIso(context, nas, http, wanted);
    } finally {
      await nas.close();
    }
  },
});

/** Compares the ISO on the NAS with the one that the factory serves. */
async function planIso(
  context: Context,
  nas: Nas,
  http: Http,
  wanted: IsoWanted,
): Promise<Plan & { image: Awaited<ReturnType<typeof askImage>> }> {
  const [seen, image] = await Promise.all([
    readIsoState(nas, wanted.path),
    askImage(http, wanted.url, { ...context, seconds: 20, patience: 5 }),
  ]);
  const fault = faultOfIso(seen, wanted.name, "size" in image ? image.size : undefined);
  const folder = fault === undefined ? undefined : faultOfFolder(seen, context.cluster.truenas.isoDataset);
  if (folder) throw new Failure({ attempted: `put ${wanted.name} on the NAS`, said: folder, now: "nothing was changed", next: NEXT });
  return {
    title: `talos:prepare-iso: ${fault}`,
    lines: describeIso(wanted),
    steps: fault === undefined ? [] : [isoStep(seen, wanted.path)],
    image,
  };
}

await main(import.meta, prepareIso);
