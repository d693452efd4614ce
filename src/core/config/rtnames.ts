/** The names that iproute2 has for numbers of the kernel's routing. */

/** Each kind's file in the folders of iproute2, and the greatest number. */
export const ROUTING_NAMES = {
  table: { file: 'rt_tables', most: 0xffffffff },
  dsfield: { file: 'rt_dsfield', most: 255 },
  realm: { file: 'rt_realms', most: 255 },
  protocol: { file: 'rt_protos', most: 255 },
  scope: { file: 'rt_scopes', most: 255 },
  group: { file: 'group', most: 0x7fffffff },
} as const;
export type RoutingNameKind = keyof typeof ROUTING_NAMES;

/** Known without any file, as to keepalived. */
export const BUILT_IN: { readonly [K in RoutingNameKind]: ReadonlyMap<string, number> } = {
  table: new Map([
    ['default', 253],
    ['main', 254],
    ['local', 255],
  ]),
  dsfield: new Map(),
  realm: new Map(),
  protocol: new Map([
    ['none', 0],
    ['redirect', 1],
    ['kernel', 2],
    ['boot', 3],
    ['static', 4],
    ['gated', 8],
    ['ra', 9],
    ['mrt', 10],
    ['zebra', 11],
    ['bird', 12],
    ['dnrouted', 13],
    ['xorp', 14],
    ['ntk', 15],
    ['dhcp', 16],
    ['keepalived', 18],
    ['babel', 42],
  ]),
  scope: new Map([
    ['global', 0],
    ['site', 200],
    ['link', 253],
    ['host', 254],
    ['nowhere', 255],
  ]),
  group: new Map(),
};

/** Numbers of the protocols above IP that rules are written for; others by number. */
export const IP_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['igmp', 2],
  ['ipip', 4],
  ['tcp', 6],
  ['udp', 17],
  ['dccp', 33],
  ['ipv6', 41],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['ipv6-icmp', 58],
  ['icmpv6', 58],
  ['ospf', 89],
  ['vrrp', 112],
  ['l2tp', 115],
  ['sctp', 132],
  ['udplite', 136],
]);

/** The names in the text of such a file: lines of `NUMBER NAME`; others are passed over, as in keepalived. */
export function parseRoutingNames(text: string, most: number): Map<string, number> {
  const names = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [written = '', name, ...more] = line
      .replace(/#.*/, '')
      .trim()
      .split(/[ \t]+/);
    const number = numberOf(written, most);
    if (number !== undefined && name !== undefined && more.length === 0) names.set(name, number);
  }
  return names;
}

/** A number as C writes it (decimal, `0x` hexadecimal, `0` octal), up to `most`. */
export function numberOf(text: string, most: number): number | undefined {
  const octal = /^0[0-7]+$/.test(text);
  if (!octal && !/^(0x[0-9a-f]{1,16}|\d{1,15})$/i.test(text)) return undefined;
  const number = octal ? Number.parseInt(text, 8) : Number(text);
  return number <= most ? number : undefined;
}
