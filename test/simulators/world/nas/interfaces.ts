// Network interfaces as TrueNAS lists them.
import type { Interface, NasState } from "./nas.ts";
import type { Row } from "./query.ts";

/** `interface.query`, before filters. */
export const interfaceRows = ({ interfaces }: Readonly<NasState>): Row[] =>
  interfaces.map(({ name, type, mac, address, members }: Interface) => {
    const aliases = address === undefined ? [] : [{ type: "INET", address, netmask: 22 }];
    return {
      id: name,
      name,
      fake: false,
      type,
      aliases,
      ipv4_dhcp: false,
      ipv6_auto: false,
      description: "",
      mtu: 9000,
      ...(type === "BRIDGE" && { bridge_members: members, enable_learning: true }),
      state: {
        name,
        orig_name: name,
        description: "",
        mtu: 9000,
        cloned: type === "BRIDGE",
        flags: ["UP", "RUNNING", "MULTICAST"],
        nd6_flags: [],
        capabilities: [],
        link_state: "LINK_STATE_UP",
        media_type: "Ethernet",
        media_subtype: "autoselect",
        active_media_type: "Ethernet",
        active_media_subtype: "autoselect",
        supported_media: [],
        media_options: null,
        link_address: mac,
        permanent_link_address: type === "PHYSICAL" ? mac : null,
        hardware_link_address: mac,
        rx_queues: 1,
        tx_queues: 1,
        aliases,
        vrrp_config: [],
        protocol: null,
        ports: [],
        xmit_hash_policy: null,
        lacpdu_rate: null,
        parent: null,
        tag: null,
        pcp: null,
      },
    };
  });
