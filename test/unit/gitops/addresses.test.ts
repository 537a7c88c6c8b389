// The address plan: what the cluster hands out lies in the LAN and belongs to nobody else.
import { Address4 } from "ip-address";
import { describe, expect, it } from "vitest";
import { MAP_FILE } from "../../../scripts/lib/tree/settings-map.ts";
import { ourHome } from "./home.ts";
import { FILES, ofKind, read, substituted } from "./tree.ts";

const { network, nodes, endpoint, nas, unifi } = ourHome();
const number = (address: string) => new Address4(address).bigInt();
const within = (address: string, cidr: string) => new Address4(address).isInSubnet(new Address4(cidr));

const POOLS = ofKind("CiliumLoadBalancerIPPool", "cilium.io").flatMap(
  ({ object }) => substituted(object).spec.blocks as { start: string; stop: string; cidr?: string }[],
);
const handsOut = (address: string) => POOLS.some(({ start, stop }) => number(start) <= number(address) && number(address) <= number(stop));

describe("the pool of load balancers", () => {
  it("is the gateways' range and not an address more", () => {
    expect(POOLS).toEqual([{ start: network.gateways.from, stop: network.gateways.to }]);
  });
  it("lies in the nodes' network: its addresses are announced there", () => {
    for (const { start, stop } of POOLS) expect([within(start, network.nodes), within(stop, network.nodes)]).toEqual([true, true]);
  });
  it("never holds a node, the VIP, the NAS, UniFi or the router", () => {
    const others = [nas.address, ...(unifi ? [unifi.address] : []), ...network.ntp].filter((one) => Address4.isValid(one));
    for (const address of [...nodes.map((node) => node.address), endpoint.address, ...others])
      expect(handsOut(address), address).toBe(false);
    expect(handsOut(network.gateways.from)).toBe(true);
  });
});

it("no file of the tree speaks of an address of the LAN: the settings have them", () => {
  for (const file of FILES.filter((one) => one !== MAP_FILE)) {
    const spoken = [...read(file).matchAll(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g)].map(([address]) => address);
    expect(
      spoken.filter((address) => within(address, network.nodes)),
      file,
    ).toEqual([]);
  }
});

it("each gateway has its own address in the pool", () => {
  const { internal, external } = network.gateways;
  expect([handsOut(internal), handsOut(external), internal === external]).toEqual([true, true, false]);
});
