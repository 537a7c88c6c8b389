// Who may write which DNS record: mail is nobody's business here, and the two instances of external-dns never take each other's records for their own.
import { describe, expect, it } from "vitest";
import { type Any, documentsOf, exists, ofKind, SETTINGS, substituted } from "./tree.ts";

const valuesOf = (app: string) =>
  substituted(documentsOf(`kubernetes/apps/network/${app}/app/helmrelease.yaml`)[0]!.object).spec.values as Any;
const cloudflare = valuesOf("external-dns-cloudflare");
const hasUnifi = exists("kubernetes/apps/network/external-dns-unifi"); // a home without UniFi takes it out
const unifi = hasUnifi ? valuesOf("external-dns-unifi") : undefined;
const domain = SETTINGS.DOMAIN!;

interface DnsRecord {
  name: string;
  type: string;
}

/** Whether external-dns, run with these values, could ever change or delete a record: its type is managed, its name inside the domain and not excluded. */
function reaches({ managedRecordTypes, domainFilters, excludeDomains = [] }: Any, { name, type }: DnsRecord): boolean {
  const within = (suffix: string) => name === suffix || name.endsWith(`.${suffix}`);
  return managedRecordTypes.includes(type) && domainFilters.some(within) && !excludeDomains.some(within);
}

/** What a domain has that receives and signs mail, as the usual providers ask for it. */
const MAIL: DnsRecord[] = [
  { name: domain, type: "MX" },
  { name: domain, type: "TXT" }, // SPF, and what proves ownership
  { name: `_dmarc.${domain}`, type: "TXT" },
  { name: `_dmarc.${domain}`, type: "CNAME" },
  { name: `selector1._domainkey.${domain}`, type: "TXT" },
  { name: `selector1._domainkey.${domain}`, type: "CNAME" },
  { name: `_mta-sts.${domain}`, type: "TXT" },
  { name: `mta-sts.${domain}`, type: "CNAME" },
  { name: `_smtp._tls.${domain}`, type: "TXT" },
  { name: `autoconfig.${domain}`, type: "CNAME" },
  { name: `autodiscover.${domain}`, type: "CNAME" },
  { name: `_autodiscover._tcp.${domain}`, type: "SRV" },
  { name: `mail.${domain}`, type: "A" },
  { name: `mail.${domain}`, type: "MX" },
];

describe("external-dns for Cloudflare", () => {
  it("owns A, AAAA and CNAME of this domain", () => {
    expect(cloudflare.managedRecordTypes).toEqual(["A", "AAAA", "CNAME"]);
    expect(cloudflare.domainFilters).toEqual([domain]);
    for (const type of ["A", "AAAA", "CNAME"]) expect(reaches(cloudflare, { name: `echo.${domain}`, type }), type).toBe(true);
    expect(reaches(cloudflare, { name: "echo.example.net", type: "A" })).toBe(false);
  });

  it.each(MAIL)("leaves $type of $name alone", (record) => {
    expect(reaches(cloudflare, record)).toBe(false);
  });

  it("writes TXT only to remember what is its own, under names that no mail record has", () => {
    const { registry, txtPrefix, extraArgs } = cloudflare;
    expect(registry).toBe("txt");
    const own = ["a", "aaaa", "cname"].map((type) => (name: string) => `${txtPrefix.replace("%{record_type}", type)}${name}`);
    const names = new Set(own.flatMap((nameOf) => MAIL.map(({ name }) => nameOf(name))));
    expect(MAIL.filter(({ name }) => names.has(name))).toEqual([]);
    expect((extraArgs as string[]).filter((arg) => /managed-record|txt-|registry|policy|domain-filter/.test(arg))).toEqual([]); // nothing contradicts the values
  });

  it("works in one zone only, and reads only routes of the external gateway and DNSEndpoints", () => {
    expect(cloudflare.extraArgs).toContain("--zone-id-filter=$(CF_ZONE_ID)");
    expect(cloudflare.extraArgs).toContain("--gateway-name=envoy-external");
    expect(cloudflare.sources).toEqual(["crd", "gateway-httproute"]);
  });

  it("is never asked for a record of mail by a DNSEndpoint of the tree", () => {
    const endpoints = ofKind("DNSEndpoint", "externaldns.k8s.io").flatMap(({ object }) => substituted(object).spec.endpoints as Any[]);
    expect(endpoints.map(({ dnsName, recordType }) => `${recordType} ${dnsName}`)).toEqual([`CNAME external.${domain}`]);
  });
});

it.runIf(hasUnifi)("two instances have an owner each: with one, each would delete what the other made", () => {
  expect([cloudflare.txtOwnerId, unifi.txtOwnerId].every(Boolean)).toBe(true);
  expect(cloudflare.txtOwnerId).not.toBe(unifi.txtOwnerId);
});

describe("annotations", () => {
  const prefix = cloudflare.annotationPrefix as string;

  it("have the prefix that both instances are told, whatever their version's default is", () => {
    for (const values of [cloudflare, unifi]) expect(values?.annotationPrefix ?? prefix).toBe("external-dns.kubernetes.io/");
    const annotated = [...ofKind("Gateway", "gateway.networking.k8s.io"), ...ofKind("HTTPRoute", "gateway.networking.k8s.io")];
    const keys = annotated.flatMap(({ object }) =>
      Object.keys({ ...object.metadata.annotations, ...object.spec.infrastructure?.annotations }).filter((key) =>
        key.startsWith("external-dns"),
      ),
    );
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(key.startsWith(prefix), key).toBe(true);
  });

  it("send each gateway's routes to the gateway's own name and address", () => {
    const gateways = ofKind("Gateway", "gateway.networking.k8s.io").map(({ object }) => substituted(object));
    expect(
      gateways.map(({ metadata, spec }) => [
        metadata.name,
        metadata.annotations[`${prefix}target`],
        spec.infrastructure.annotations[`${prefix}hostname`],
        spec.infrastructure.annotations["lbipam.cilium.io/ips"],
      ]),
    ).toEqual([
      ["envoy-external", `external.${domain}`, `external.${domain}`, SETTINGS.GATEWAY_EXTERNAL],
      ["envoy-internal", `internal.${domain}`, `internal.${domain}`, SETTINGS.GATEWAY_INTERNAL],
    ]);
  });
});

it("the tunnel ends at the external gateway, by a name that the certificate has", () => {
  const { configMaps } = valuesOf("cloudflared");
  const config = configMaps.config.data["config.yaml"] as string;
  expect(config).toContain(`originServerName: external.${domain}`);
  expect(config).toContain("service: https://envoy-external.network.svc.cluster.local:443");
  const [certificate] = ofKind("Certificate", "cert-manager.io").map(({ object }) => substituted(object));
  expect(certificate!.spec.dnsNames).toEqual([domain, `*.${domain}`]);
});

describe("the wildcard certificate and its copy in the vault", () => {
  const kustomizations = ["certificates", "certificates-import"].map(
    (app) => documentsOf(`kubernetes/apps/network/${app}/ks.yaml`)[0]!.object,
  );
  const [app, importing] = ["certificates", "certificates-import"].map((name) =>
    kustomizations.find(({ metadata }) => metadata.name === name)!,
  );
  const [imported] = documentsOf("kubernetes/apps/network/certificates-import/app/externalsecret.yaml");
  const [pushed] = documentsOf("kubernetes/apps/network/certificates/app/pushsecret.yaml");

  it("is waited for until the import was tried, not until it succeeded: at first there is no copy", () => {
    expect(app!.spec.dependsOn).toEqual([{ name: "certificates-import" }]);
    expect(importing!.spec.wait).toBeUndefined();
    expect(importing!.spec.healthCheckExprs).toEqual([
      { apiVersion: "external-secrets.io/v1", kind: "ExternalSecret", current: "status.conditions.exists(e, e.type == 'Ready')" },
    ]);
    expect(importing!.spec.dependsOn).toEqual([{ name: "external-secrets-config", namespace: "external-secrets" }]);
  });

  it("comes back as it went: the same item, Base64 both ways, into the Secret that the Certificate writes", () => {
    const [{ match }] = pushed!.object.spec.data as [Any];
    expect(imported!.object.spec.dataFrom).toEqual([{ extract: { decodingStrategy: "Base64", key: match.remoteRef.remoteKey } }]);
    for (const template of Object.values(pushed!.object.spec.template.data as Record<string, string>))
      expect(template).toMatch(/\| b64enc }}$/);
    const [certificate] = ofKind("Certificate", "cert-manager.io");
    expect(imported!.object.spec.target.name).toBe(certificate!.object.spec.secretName);
    expect(pushed!.object.spec.selector.secret.name).toBe(certificate!.object.spec.secretName);
  });

  it("is only ever created by the import: cert-manager's renewals are not overwritten, and it outlives the import", () => {
    expect(imported!.object.spec.refreshPolicy).toBe("CreatedOnce");
    expect(imported!.object.spec.target.creationPolicy).toBe("Orphan");
    expect(pushed!.object.spec.deletionPolicy).toBe("None");
  });

  it("is adopted: the annotations of the copy are what cert-manager compares with the Certificate", () => {
    const [certificate] = ofKind("Certificate", "cert-manager.io");
    const annotations = substituted(imported!.object).spec.target.template.metadata.annotations;
    expect(annotations).toMatchObject({
      "cert-manager.io/certificate-name": certificate!.name,
      "cert-manager.io/issuer-kind": certificate!.object.spec.issuerRef.kind,
      "cert-manager.io/issuer-name": certificate!.object.spec.issuerRef.name,
    });
    expect(annotations["cert-manager.io/alt-names"].split(",").sort()).toEqual([`*.${domain}`, domain].sort());
  });
});
