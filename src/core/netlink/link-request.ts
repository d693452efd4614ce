import { fromHex } from '../bytes.ts';
import { IPV4_CONF, type Ipv4Conf, LINK_FLAG, LINK_MESSAGE } from './link.ts';
import { BodyWriter, FLAG, type Request } from './message.ts';

/**
 * Making, changing and removing interfaces with rtnetlink (include/uapi/linux/if_link.h). Interfaces are named, not
 * numbered: a request may then follow the one that makes the interface, in the same batch.
 */

const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  linkInfo: 18,
  afSpec: 26,
  group: 27,
} as const;
const LINKINFO = { kind: 1, data: 2 } as const;
const MACVLAN_MODE = 1;
const MACVLAN_PRIVATE = 1;
const IPVLAN = { mode: 1, flags: 2 } as const;
const IPVLAN_L2 = 0;
const IPVLAN_FLAGS = { bridge: 0, private: 1, vepa: 2 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
const INET_CONF = 1;
const INET6_ADDRESS_GENERATION = 8;
/** IN6_ADDR_GEN_MODE_NONE: the kernel makes no link-local address. */
const GENERATE_NONE = 1;

/** An interface upon another one. */
export type StackedLink = {
  readonly name: string;
  /** The ifindex of the interface below. */
  readonly base: number;
  /** The ifindex of the VRF that it is to be in. */
  readonly master?: number;
  /** Interface group, 0 when absent. */
  readonly group?: number;
} & (
  | { readonly kind: 'macvlan'; readonly mac: string }
  | { readonly kind: 'ipvlan'; readonly mode: keyof typeof IPVLAN_FLAGS }
);

/** struct ifinfomsg; what `change` has is set to what `flags` has. */
function header(flags = 0, change = 0): BodyWriter {
  const body = new BodyWriter();
  body.fixed.u8(0).u8(0).u16host(0).i32host(0).u32host(flags).u32host(change);
  return body;
}

const named = (name: string): BodyWriter => header().text(IFLA.name, name);
const set = (body: BodyWriter, asked: string): Request => ({
  type: LINK_MESSAGE.new,
  flags: 0,
  body: body.finish(),
  asked,
});

function describe(body: BodyWriter, link: StackedLink): void {
  body.nest(IFLA.linkInfo, (info) => {
    info.text(LINKINFO.kind, link.kind);
    info.nest(LINKINFO.data, (data) => {
      if (link.kind === 'macvlan') data.u32(MACVLAN_MODE, MACVLAN_PRIVATE);
      else data.u16(IPVLAN.mode, IPVLAN_L2).u16(IPVLAN.flags, IPVLAN_FLAGS[link.mode]);
    });
  });
  if (link.kind === 'macvlan') body.bytes(IFLA.address, fromHex(link.mac.replaceAll(':', '')));
  if (link.master !== undefined) body.u32(IFLA.master, link.master);
  if (link.group !== undefined) body.u32(IFLA.group, link.group);
}

/** Makes it, down; errno 17 (EEXIST) when the name is taken, 95 (EOPNOTSUPP) where the kernel has no such kind. */
export function addLink(link: StackedLink): Request {
  const body = named(link.name);
  describe(body, link);
  body.u32(IFLA.link, link.base);
  const asked = `make the ${link.kind} ${link.name}`;
  return { type: LINK_MESSAGE.new, flags: FLAG.create | FLAG.exclusive, body: body.finish(), asked };
}

/** Makes an interface that leads nowhere, down; errno as `addLink`. */
export function addDummy(name: string): Request {
  const body = named(name).nest(IFLA.linkInfo, (info) => info.text(LINKINFO.kind, 'dummy'));
  const asked = `make the dummy interface ${name}`;
  return { type: LINK_MESSAGE.new, flags: FLAG.create | FLAG.exclusive, body: body.finish(), asked };
}

/** Gives one that is there the mode, MAC address and so on; the interface below stays. */
export function changeLink(link: StackedLink): Request {
  const body = named(link.name);
  describe(body, link);
  return set(body, `change the ${link.kind} ${link.name}`);
}

/** Removes an interface; errno 19 (ENODEV) when there is none. */
export function deleteLink(name: string): Request {
  const asked = `remove the interface ${name}`;
  return { type: LINK_MESSAGE.delete, flags: 0, body: named(name).finish(), asked };
}

export const setLinkUp = (name: string): Request =>
  set(header(LINK_FLAG.up, LINK_FLAG.up).text(IFLA.name, name), `set ${name} up`);

export const setLinkMtu = (name: string, mtu: number): Request =>
  set(named(name).u32(IFLA.mtu, mtu), `set the MTU of ${name} to ${mtu}`);

/** Sets some of `net.ipv4.conf.NAME`, without a file: /proc/sys may be read-only. */
export function setIpv4Conf(name: string, conf: Ipv4Conf): Request {
  const body = named(name).nest(IFLA.afSpec, (spec) => {
    spec.nest(AF_INET, (inet) => {
      inet.nest(INET_CONF, (values) => {
        for (const [key, value] of Object.entries(conf)) {
          values.u32(IPV4_CONF[key as keyof typeof IPV4_CONF], value);
        }
      });
    });
  });
  return set(body, `set net.ipv4.conf.${name}: ${Object.keys(conf).join(', ')}`);
}

/** The kernel gives it no link-local address of its own; errno 97 (EAFNOSUPPORT) where there is no IPv6. */
export function withoutLinkLocal(name: string): Request {
  const body = named(name).nest(IFLA.afSpec, (spec) => {
    spec.nest(AF_INET6, (inet6) => inet6.u8(INET6_ADDRESS_GENERATION, GENERATE_NONE));
  });
  return set(body, `keep link-local addresses off ${name}`);
}
