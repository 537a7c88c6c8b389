// What can go wrong in the simulated home, each by name.

/** `passes`: the product waits, retries or resumes, and the day ends well. `stops`: it ends with a clear message and nothing hurt, and goes on once mended. `strikes`: so often it takes to be noticed, where a tool tries again by itself. */
export const FAULTS = {
  "nas-drops-socket": { about: "the NAS cuts the connection in the middle of a call", ends: "passes" },
  "nas-loses-reply": { about: "a change on the NAS takes place, its reply is lost", ends: "passes" },
  "nas-idle-cut": { about: "the proxy in front of the NAS cuts an idle connection", ends: "passes" },
  "nas-busy": { about: "the NAS refuses a call: too many in flight", ends: "passes" },
  "nas-full-pool": { about: "the pool has no room for the disks", ends: "stops" },
  "nas-login-locked": { about: "the NAS refuses the key", ends: "stops" },
  "nas-device-refused": { about: "the NAS refuses a device of a VM", ends: "stops" },
  "nas-start-refused": { about: "the NAS has no memory for a VM", ends: "stops" },
  "factory-slow": { about: "the image factory takes long to build", ends: "passes" },
  "factory-cuts-download": { about: "the download of the ISO breaks off", ends: "passes" },
  "factory-down": { about: "the image factory does not answer", ends: "stops" },
  "vault-rate-limited": { about: "1Password refuses for now: too many requests", ends: "stops" },
  "vault-signed-out": { about: "nobody is signed in to 1Password", ends: "stops" },
  "vault-field-missing": { about: "a field of an item is not there", ends: "stops" },
  "node-slow": { about: "a node takes long to boot", ends: "passes" },
  "node-stays-away": { about: "a node does not come back after its first boot", ends: "stops" },
  "time-not-in-sync": { about: "a node's clock is not in sync yet", ends: "passes" },
  "etcd-learner": { about: "an etcd member stays a learner for a while", ends: "passes" },
  "etcd-never-joins": { about: "an etcd member never joins", ends: "stops" },
  "node-boots-old-version": { about: "after an upgrade a node boots the version that it had", ends: "passes" },
  "talos-drops-stream": { about: "a Talos node drops the connection in the middle of an upgrade or an apply", ends: "passes" },
  "api-server-flaps": { about: "the Kubernetes API refuses connections now and then", ends: "passes" },
  "api-server-leaves-during-apply": { about: "the Kubernetes API goes away in the middle of an apply", ends: "passes" },
  "registry-flaps": { about: "a chart registry answers 503 until helm gives up", ends: "passes", strikes: 6 },
  "registry-down": { about: "a chart registry does not answer", ends: "stops" },
  "registry-slow": { about: "a chart comes out of its registry in drops", ends: "passes" },
  "registry-broken": { about: "a registry hands out a chart that is not the one its manifest names", ends: "stops" },
  "registry-rate-limited": { about: "a chart registry wants fewer requests until helm gives up", ends: "passes", strikes: 6 },
  "helm-stuck": { about: "a release was left pending by a run that died", ends: "passes" },
  "ceph-warns": { about: "Ceph is up, with a warning", ends: "passes" },
  "flux-app-fails": { about: "one of Flux's Kustomizations cannot become ready", ends: "stops" },
} as const;

export type Fault = keyof typeof FAULTS;
