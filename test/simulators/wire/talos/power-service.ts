// What takes a node down or changes what it boots: reboot, shutdown, reset, rollback, and the two ways to upgrade.
import { reboot, reset, rollback, shutdown } from "../../world/talos/power.ts";
import { pullImage, upgradeAtOnce, writeUpgrade } from "../../world/talos/upgrade.ts";
import { minorOf, SINCE } from "../../world/talos/version.ts";
import type { Called, Stream, Unary } from "./routing.ts";
import { isRefused } from "./status.ts";
import type { Status } from "../../world/talos/grpc-status.ts";

const begun = (outcome: { actor: string } | Status) => (isRefused(outcome) ? outcome : { actor_id: outcome.actor });

const resetNode: Unary = ({ world, machine, request }) =>
  begun(
    reset(world, machine, {
      graceful: request.graceful,
      reboot: request.reboot,
      labels: request.system_partitions_to_wipe.filter(({ wipe }: { wipe: boolean }) => wipe).map(({ label }: { label: string }) => label),
      userDisks: request.user_disks_to_wipe,
      mode: request.mode,
    }),
  );

const upgrade: Unary = ({ world, machine, request }) => {
  const done = upgradeAtOnce(world, machine, request);
  return isRefused(done) ? done : { ack: done.ack, actor_id: done.actor };
};

/** Images of Kubernetes are there in any version. */
const KUBERNETES = /^(registry\.k8s\.io|ghcr\.io\/siderolabs)\/[\w-]+:v\d+\.\d+\.\d+$/;

const imagePull: Unary = ({ request: { reference } }) =>
  KUBERNETES.test(reference) ? {} : { code: "NotFound", description: `error pulling image: ${reference}: not found` };

export const POWER: Record<string, Unary> = {
  ImagePull: imagePull,
  Reboot: ({ world, machine }) => begun(reboot(world, machine)),
  Shutdown: ({ world, machine }) => begun(shutdown(world, machine)),
  Reset: resetNode,
  Rollback: ({ world, machine }) => rollback(world, machine) ?? {},
  Upgrade: upgrade,
};

/** Services that came with 1.13. */
const since =
  (service: string, handle: Stream): Stream =>
  (called: Called, send, over) =>
    minorOf(called.machine) < SINCE.lifecycle
      ? { code: "Unimplemented", description: `unknown service ${service}` }
      : handle(called, send, over);

const lifecycleUpgrade: Stream = ({ world, machine, request }, send) => {
  const image: string = request.source?.image_name ?? "";
  send({ progress: { message: `running Talos installer ${image.split(":").at(-1)}` } });
  const refused = writeUpgrade(world, machine, image);
  if (refused) return refused;
  send({ progress: { message: "installation of talos complete" } });
  send({ progress: { exit_code: 0 } });
  return undefined;
};

const install: Stream = ({ machine }) =>
  machine.installed
    ? { code: "AlreadyExists", description: "machine is already installed" }
    : { code: "Unimplemented", description: "the simulated home installs by a machine config" };

export const LIFECYCLE: Record<string, Stream> = {
  Upgrade: since("machine.LifecycleService", lifecycleUpgrade),
  Install: since("machine.LifecycleService", install),
};

const pull: Stream = ({ world, request: { image_ref: image } }, send) => {
  const refused = pullImage(world, image);
  if (refused) return refused;
  const layer = (status: string, offset: number) =>
    send({ pull_progress: { layer_id: `sha256:${"1".repeat(64)}`, progress: { status, offset: String(offset), total: "90000000" } } });
  layer("DOWNLOADING", 45_000_000);
  layer("EXTRACT_COMPLETE", 90_000_000);
  send({ name: image });
  return undefined;
};

const images: Stream = ({ machine }, send) => {
  if (!machine.installed) return;
  const { platform, schematic, talos } = machine.installed;
  send({ name: `factory.talos.dev/${platform}-installer/${schematic}:${talos}`, digest: `sha256:${schematic}`, size: "90000000" });
};

export const IMAGES: Record<string, Stream> = { Pull: since("machine.ImageService", pull), List: since("machine.ImageService", images) };
