// What can go wrong in the simulated home, each by name, and how a day shows that it did.

interface Common {
  about: string;
  /** How often it must strike to be noticed, where a tool tries again by itself. One when left out. */
  strikes?: number;
  /** Why it cannot happen on the first day, or on one with the real tools; it is left out there. */
  outside?: { firstDay?: string; realTools?: string };
}

/** The product waits, retries or resumes, and the day ends well. */
interface Passes extends Common {
  ends: "passes";
  /** A state of the world, which no strike uses up; every other one must have struck by the end of the day. */
  stands?: true;
  /** What takes the fault up, so that no run needs to mention it. Any other one is mentioned in these words. */
  absorbed?: string;
  says?: RegExp;
}

/** The day ends with an error that names the fault in these words, nothing is hurt, and it goes on once the fault is fixed. */
interface Stops extends Common {
  ends: "stops";
  says: RegExp;
  /** The name that must be typed to continue, because something is removed then. */
  confirm?: string;
  /** The product gives up only after a long wait: the rehearsal makes time go faster, and every deadline with it. */
  late?: true;
}

export type FaultSpec = Passes | Stops;

export const FAULTS = {
  "nas-drops-socket": {
    about: "the NAS cuts the connection in the middle of a call",
    ends: "passes",
    absorbed: "the NAS client connects again and asks whether the call took place",
  },
  "nas-loses-reply": {
    about: "a change on the NAS takes place, its reply is lost",
    ends: "passes",
    absorbed: "the NAS client connects again and asks whether the call took place",
  },
  "nas-idle-cut": {
    about: "the proxy in front of the NAS cuts an idle connection",
    ends: "passes",
    stands: true,
    absorbed: "the NAS client connects again",
  },
  "nas-busy": { about: "the NAS refuses a call: too many in flight", ends: "passes", absorbed: "the NAS client tries again" },
  "nas-full-pool": {
    about: "the pool has no room for the disks",
    ends: "stops",
    says: /zvol \S+ of \d+ GB is more than 80 % of the \d+ GB/,
  },
  "nas-login-locked": { about: "the NAS refuses the key", ends: "stops", says: /could not log in to TrueNAS[\s\S]*AUTH_ERR/ },
  "nas-device-refused": {
    about: "the NAS refuses a device of a VM",
    ends: "stops",
    says: /could not vm\.device\.create[\s\S]*cannot read from/,
  },
  "nas-start-refused": {
    about: "the NAS has no memory for a VM",
    ends: "stops",
    says: /could not vm\.start[\s\S]*\[ENOMEM\] Cannot guarantee memory/,
  },
  "factory-slow": { about: "the image factory takes long to build", ends: "passes", absorbed: "the download waits for the build" },
  "factory-cuts-download": { about: "the download of the ISO breaks off", ends: "passes", absorbed: "the download begins again" },
  "factory-down": {
    about: "the image factory does not answer",
    ends: "stops",
    late: true,
    says: /factory\.talos\.dev[\s\S]*socket hang up/,
  },
  "vault-rate-limited": { about: "1Password refuses for now: too many requests", ends: "stops", says: /\(429\) Too Many Requests/ },
  "vault-signed-out": { about: "nobody is signed in to 1Password", ends: "stops", says: /not (currently )?signed in[\s\S]*op signin/ },
  "vault-field-missing": {
    about: "a field of an item is not there",
    ends: "stops",
    says: /op:\/\/\S+\/1password[:/][^\n]*OP_CONNECT_TOKEN/,
  },
  "node-slow": { about: "a node takes long to boot", ends: "passes", absorbed: "the bootstrap waits for the node" },
  "node-stays-away": {
    about: "a node does not come back after its first boot",
    ends: "stops",
    late: true,
    says: /could not wait for k8s-\d to hold its config[\s\S]*no route to host/,
  },
  "node-address-taken": {
    about: "another machine in maintenance mode answers at a node's address",
    ends: "stops",
    says: /NIC 52:54:00:5a:6e:01/,
  },
  "node-swapped": {
    about: "another machine takes a node's address between the look and the apply",
    ends: "stops",
    says: /no longer shows the certificate/,
  },
  "disk-holds-data": { about: "the disks of a new node hold data of somebody", ends: "stops", says: /CONFIRM=k8s-0/ },
  "time-not-in-sync": { about: "a node's clock is not in sync yet", ends: "passes", absorbed: "the bootstrap waits for the clock" },
  "etcd-learner": {
    about: "an etcd member stays a learner for a while",
    ends: "passes",
    absorbed: "the bootstrap waits until every member votes",
  },
  "etcd-never-joins": {
    about: "an etcd member never joins",
    ends: "stops",
    late: true,
    says: /could not wait for 3 etcd members[\s\S]*2 of 3 members/,
  },
  "node-boots-old-version": {
    about: "after an upgrade a node boots the version that it had",
    ends: "passes",
    outside: { firstDay: "the first day has no upgrade" },
  },
  "talos-drops-stream": {
    about: "a Talos node drops the connection in the middle of an upgrade or an apply",
    ends: "passes",
    absorbed: "the apply is repeated",
  },
  "api-server-flaps": {
    about: "the Kubernetes API refuses connections now and then",
    ends: "passes",
    absorbed: "commands against the API are repeated",
  },
  "api-server-leaves-during-apply": {
    about: "the Kubernetes API goes away in the middle of an apply",
    ends: "passes",
    absorbed: "the apply is repeated",
  },
  "registry-flaps": {
    about: "a chart registry answers 503 until helm gives up",
    ends: "passes",
    strikes: 6,
    absorbed: "helmfile is run again",
  },
  "registry-down": {
    about: "a chart registry does not answer",
    ends: "stops",
    late: true,
    says: /(ghcr\.io|quay\.io)[^\n]*socket hang up/,
  },
  "registry-slow": { about: "a chart comes out of its registry in drops", ends: "passes", absorbed: "helmfile waits" },
  "registry-broken": { about: "a registry hands out a chart that is not the one its manifest names", ends: "stops", says: /digest/ },
  "registry-rate-limited": {
    about: "a chart registry wants fewer requests until helm gives up",
    ends: "passes",
    strikes: 6,
    absorbed: "helmfile is run again",
  },
  "helm-stuck": {
    about: "a release was left pending by a helm that died",
    ends: "stops",
    says: /uninstall what a failed install left of kube-system\/coredns/,
    confirm: "coredns",
    outside: { realTools: "only the stand-in of helmfile leaves a release behind" },
  },
  "kubectl-echoes-input": {
    about: "kubectl refuses its input and repeats it: plain, quoted and in base64",
    ends: "stops",
    says: /cannot use this input/,
    outside: { realTools: "the real kubectl does not repeat its input" },
  },
  "ceph-warns": { about: "Ceph is up, with a warning", ends: "passes", stands: true, absorbed: "the tree takes HEALTH_WARN for healthy" },
  "flux-app-fails": {
    about: "one of Flux's Kustomizations cannot become ready",
    ends: "stops",
    late: true,
    says: /kube-system\/spegel: HealthCheckFailed/,
  },
} as const satisfies Record<string, FaultSpec>;

export type Fault = keyof typeof FAULTS;

/** The same with every field that a fault may have. */
export const specOf = (fault: Fault): FaultSpec => FAULTS[fault];
