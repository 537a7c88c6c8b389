// Every secret that the product and its GitOps tree need: in which item and field, who makes it, what it is for, whether a bootstrap needs it.
import type { Hypervisor, ItemKey } from "../cluster/cluster.ts";

/** How a value is made. A bundle is made whole or not at all. */
export type Maker = "talos-bundle" | "age-key" | "password";

/** What a person has to know to fetch a value. */
export interface Fetching {
  link: string;
  steps: string;
  /** The rights that the key or token needs. */
  rights: string;
}

export interface Entry {
  item: ItemKey;
  field: string;
  /** Made by secrets:init, fetched by a person, or stored by another target when asked to. */
  source: { init: Maker } | { person: Fetching } | { task: string };
  /** What stops working without it. */
  purpose: string;
  /** Whether creating VMs and bootstrapping needs it. */
  now: boolean;
  /** Shown in output and kept as plain text: an address, a name, a certificate. */
  public: boolean;
  /** Only homes on this hypervisor need it. */
  hypervisor?: Hypervisor;
}

type Group = Pick<Entry, "item" | "source" | "purpose"> &
  Partial<Pick<Entry, "now" | "hypervisor">> & { secret?: string[]; public?: string[] };

const GROUPS: Group[] = [
  {
    item: "talos",
    source: { init: "talos-bundle" },
    purpose: "machine configs, talosconfig: the cluster's identity",
    now: true,
    secret: [
      "MACHINE_CA_KEY",
      "MACHINE_TOKEN",
      "CLUSTER_CA_KEY",
      "CLUSTER_ID",
      "CLUSTER_SECRET",
      "CLUSTER_TOKEN",
      "CLUSTER_AGGREGATORCA_KEY",
      "CLUSTER_ETCD_CA_KEY",
      "CLUSTER_SECRETBOXENCRYPTIONSECRET",
      "CLUSTER_SERVICEACCOUNT_KEY",
    ],
    public: ["MACHINE_CA_CRT", "CLUSTER_CA_CRT", "CLUSTER_AGGREGATORCA_CRT", "CLUSTER_ETCD_CA_CRT"],
  },
  { item: "sops", source: { init: "age-key" }, purpose: "Flux decrypts *.sops.yaml", now: true, secret: ["SOPS_PRIVATE_KEY"] },
  {
    item: "connect",
    purpose: "External Secrets in the cluster",
    now: true,
    source: {
      person: {
        link: "https://developer.1password.com/docs/connect/get-started",
        steps:
          "op connect server create NAME --vaults VAULT (its 1password-credentials.json, whole), then op connect token create NAME --server NAME --vault VAULT,rw",
        rights: "read and write in onepassword.vault, never in onepassword.operatorVault",
      },
    },
    secret: ["OP_CREDENTIALS_JSON", "OP_CONNECT_TOKEN"],
  },
  {
    item: "nas",
    purpose: "talos:prepare-iso, vm:*",
    now: true,
    hypervisor: "truenas",
    source: {
      person: {
        link: "https://YOUR-NAS/ui/credentials/users/api-keys",
        steps:
          "host or host:port; the user; an API key of that user; the SHA-256 fingerprint of the NAS's certificate (AA:BB:…) or its CA as PEM",
        rights: "full administrator (uploading the ISO needs it)",
      },
    },
    secret: ["TRUENAS_API"],
    public: ["TRUENAS_HOST", "TRUENAS_USERNAME", "TRUENAS_CERTIFICATE"],
  },
  {
    item: "esxi",
    purpose: "talos:prepare-iso, vm:*",
    now: true,
    hypervisor: "vsphere",
    source: {
      person: {
        link: "https://YOUR-ESXI/ui/#/host/manage/security/users",
        steps: "the host's name, and a user of its own with a password",
        rights: "create, start and delete VMs; write to the datastores; use the port group",
      },
    },
    secret: ["password"],
    public: ["host", "username"],
  },
  {
    item: "kubeconfig",
    source: { task: "task talos:kubeconfig UPLOAD=1" },
    purpose: "a copy for other machines, only when asked",
    secret: ["kubeconfig"],
  },
  {
    item: "cloudflare",
    purpose: "certificates, public DNS",
    source: {
      person: {
        link: "https://dash.cloudflare.com/profile/api-tokens",
        steps: "create a token for your zone; the zone's ID stands on its overview page",
        rights: "Zone / DNS / Edit and Zone / Zone / Read, your zone only",
      },
    },
    secret: ["CLOUDFLARE_DNS_TOKEN"],
    public: ["CLOUDFLARE_ZONE_ID"],
  },
  {
    item: "cloudflare",
    purpose: "the tunnel for public apps",
    source: {
      person: {
        link: "https://developers.cloudflare.com/tunnel/advanced/local-management/create-local-tunnel/",
        steps:
          "cloudflared tunnel login, cloudflared tunnel create NAME: AccountTag and TunnelSecret of the JSON file that it writes (its TunnelID goes into talos/cluster.yaml)",
        rights: "Account / Cloudflare Tunnel / Edit for who creates it",
      },
    },
    secret: ["CLOUDFLARE_TUNNEL_SECRET"],
    public: ["CLOUDFLARE_ACCOUNT_TAG"],
  },
  {
    item: "certManager",
    purpose: "certificates from Google Trust Services",
    source: {
      person: {
        link: "https://cloud.google.com/certificate-manager/docs/public-ca-tutorial",
        steps:
          "gcloud publicca external-account-keys create: its b64MacKey (keyId goes into talos/cluster.yaml). Unused it dies after 7 days; used once, the account lasts",
        rights: "publicca.externalAccountKeys.create in a Google Cloud project",
      },
    },
    secret: ["EAB_HMAC_KEY"],
  },
  {
    item: "wildcard",
    source: { task: "the cluster itself, once it has a certificate" },
    purpose: "a cluster that is built anew begins with its certificate",
    secret: ["tls.key"],
    public: ["tls.crt"],
  },
  {
    item: "unifi",
    purpose: "DNS records at home",
    source: {
      person: {
        link: "https://YOUR-UNIFI/network/default/settings/control-plane/integrations",
        steps: "UniFi Network 9 or newer: Control Plane, Integrations, Create API Key",
        rights: "an administrator who may edit network settings (DNS)",
      },
    },
    secret: ["UNIFI_API_KEY"],
  },
  {
    item: "flux",
    purpose: "GitHub tells Flux of a push",
    source: { init: "password" },
    secret: ["FLUX_GITHUB_WEBHOOK_TOKEN"],
  },
  {
    item: "flux",
    purpose: "commit statuses",
    source: {
      person: {
        link: "https://github.com/settings/personal-access-tokens/new",
        steps: "a fine-grained token for your fork only",
        rights: "Commit statuses: read and write",
      },
    },
    secret: ["FLUX_GITHUB_TOKEN"],
  },
  { item: "volsync", source: { init: "password" }, purpose: "every backup: keep a copy on paper", secret: ["KOPIA_PASSWORD"] },
  { item: "volsync", source: { init: "password" }, purpose: "Kopia's web interface", secret: ["KOPIA_SERVER_PASSWORD"] },
  { item: "rookCeph", source: { init: "password" }, purpose: "Ceph's dashboard", secret: ["ROOK_DASHBOARD_PASSWORD"] },
  { item: "grafana", source: { init: "password" }, purpose: "Grafana's administrator", secret: ["GF_SECURITY_ADMIN_PASSWORD"] },
  {
    item: "alertmanager",
    purpose: "alerts by Pushover",
    source: {
      person: {
        link: "https://pushover.net/apps/build",
        steps: "create an application: its API token",
        rights: "none: an application of its own",
      },
    },
    secret: ["ALERTMANAGER_PUSHOVER_TOKEN"],
  },
  {
    item: "alertmanager",
    purpose: "someone outside notices that alerts have stopped",
    source: {
      person: {
        link: "https://healthchecks.io",
        steps: "a check with a period of 5 minutes (any dead man's switch does): the URL that it wants called",
        rights: "none: the URL is the secret",
      },
    },
    secret: ["ALERTMANAGER_HEARTBEAT_URL"],
  },
  {
    item: "pushover",
    purpose: "alerts by Pushover",
    source: {
      person: { link: "https://pushover.net", steps: "your user key, on the page after signing in", rights: "none: it only names you" },
    },
    secret: ["PUSHOVER_USER_KEY"],
  },
  {
    item: "ilert",
    purpose: "on-call alerts by iLert",
    source: {
      person: {
        link: "https://docs.ilert.com/integrations/inbound-integrations/prometheus",
        steps: "Alert sources, new, Prometheus: the webhook's URL",
        rights: "manage alert sources; the URL is the secret",
      },
    },
    secret: ["ILERT_WEBHOOK_URL"],
  },
  {
    item: "actionsRunner",
    purpose: "GitHub Actions on the cluster",
    source: {
      person: {
        link: "https://github.com/settings/apps/new",
        steps:
          "a GitHub App without webhook, installed on your fork only: its ID, the installation's ID (end of its URL), a private key (PEM, whole)",
        rights: "repository: Administration read and write, Actions read, Metadata read",
      },
    },
    secret: ["ACTIONS_RUNNER_PRIVATE_KEY"],
    public: ["ACTIONS_RUNNER_APP_ID", "ACTIONS_RUNNER_INSTALLATION_ID"],
  },
  {
    item: "karakeep",
    source: { init: "password" },
    purpose: "Karakeep and its search",
    secret: ["KARAKEEP_ENCRYPTION_KEY", "KARAKEEP_MEILISEARCH_MASTER_KEY"],
  },
  { item: "prowlarr", source: { init: "password" }, purpose: "Prowlarr's API", secret: ["PROWLARR_API_KEY"] },
  { item: "radarr", source: { init: "password" }, purpose: "Radarr's API", secret: ["RADARR_API_KEY"] },
  { item: "seerr", source: { init: "password" }, purpose: "Seerr's API", secret: ["SEERR_API_KEY"] },
  { item: "sonarr", source: { init: "password" }, purpose: "Sonarr's API", secret: ["SONARR_API_KEY"] },
];

/** All entries, in the order in which a person would work through them. */
export const CATALOGUE: readonly Entry[] = GROUPS.flatMap(({ secret = [], public: open = [], now = false, ...rest }) =>
  [...open.map((field) => ({ field, public: true })), ...secret.map((field) => ({ field, public: false }))].map((one) => ({
    ...rest,
    now,
    ...one,
  })),
);
