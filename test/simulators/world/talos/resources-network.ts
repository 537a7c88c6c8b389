// What a node shows of its links, its addresses and its name.
import { addressesOf, hostnameOf } from "./machines.ts";
import { macOf } from "../stranger.ts";
import type { Kind } from "./resource-kind.ts";

export const NETWORK: Kind[] = [
  {
    type: "LinkStatuses.net.talos.dev",
    namespace: "network",
    name: "LinkStatus",
    aliases: ["link", "links", "linkstatus", "linkstatuses"],
    columns: {
      ALIAS: "{.alias}",
      TYPE: "{.type}",
      KIND: "{.kind}",
      "HW ADDR": "{.hardwareAddr}",
      "OPER STATE": "{.operationalState}",
      "LINK STATE": "{.linkState}",
    },
    list: (world, machine) => [
      {
        id: "enp0s3",
        spec: {
          type: "ether",
          kind: "",
          hardwareAddr: macOf(world, machine),
          permanentAddr: macOf(world, machine),
          mtu: 1500,
          operationalState: "up",
          linkState: true,
        },
      },
      {
        id: "lo",
        spec: {
          type: "loopback",
          kind: "",
          hardwareAddr: "00:00:00:00:00:00",
          permanentAddr: "",
          mtu: 65536,
          operationalState: "unknown",
          linkState: true,
        },
      },
    ],
  },
  {
    type: "HostnameStatuses.net.talos.dev",
    namespace: "network",
    name: "HostnameStatus",
    aliases: ["hostname", "hostnames", "hostnamestatus", "hostnamestatuses"],
    columns: { HOSTNAME: "{.hostname}", DOMAINNAME: "{.domainname}" },
    list: (_world, machine) => [{ id: "hostname", spec: { hostname: hostnameOf(machine), domainname: "" } }],
  },
  {
    type: "AddressStatuses.net.talos.dev",
    namespace: "network",
    name: "AddressStatus",
    aliases: ["address", "addresses", "addressstatus", "addressstatuses"],
    columns: { ADDRESS: "{.address}", LINK: "{.linkName}" },
    list: (_world, machine) =>
      [
        ...addressesOf(machine).map((address) => ({ address: `${address}/22`, linkName: "enp0s3", scope: "global" })),
        { address: "127.0.0.1/8", linkName: "lo", scope: "host" },
      ].map(({ address, linkName, scope }) => ({
        id: `${linkName}/${address}`,
        spec: { address, linkIndex: linkName === "lo" ? 1 : 2, linkName, family: "inet4", scope, flags: "permanent", priority: 0 },
      })),
  },
];
