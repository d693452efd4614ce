import { familyOf, type Ip } from '../ip.ts';
import type { HostFacts, Setting } from './setting.ts';

/** What a real server needs for direct routing (`dr`) or IP in IP tunnels (`tun`). */
export interface RealServerWishes {
  readonly method: 'dr' | 'tun';
  readonly vips: readonly Ip[];
}

const TUNNEL = {
  4: { kind: 'module', name: 'ipip', sign: 'tunl0' },
  6: { kind: 'module', name: 'ip6_tunnel', sign: 'ip6tnl0' },
} as const;

/**
 * It takes packets for the VIPs and keeps quiet about them on the segment, where the director has them. For
 * IPv6 an address of another device is not answered for anyway.
 */
export function realServerSettings({ method, vips }: RealServerWishes, facts: HostFacts): Setting[] {
  const families = ([4, 6] as const).filter((family) => vips.some((vip) => familyOf(vip) === family));
  const device = (vip: Ip): string => (method === 'dr' ? 'lo' : TUNNEL[familyOf(vip)].sign);
  const tunnels = method === 'tun' ? families.map((family) => TUNNEL[family]) : [];
  return [
    ...tunnels,
    // The addresses come last: before, the segment would hear of them.
    ...(families.includes(4) ? [...quietSettings(), ...pathSettings(facts)] : []),
    ...tunnels.map(({ sign }): Setting => ({ kind: 'link', device: sign })),
    ...vips.map((vip): Setting => ({ kind: 'address', device: device(vip), address: vip })),
  ];
}

/** No answer for addresses of other devices, no question in their name; the largest of `all` and the device counts. */
const quietSettings = (): Setting[] => [
  { kind: 'sysctl', key: 'net/ipv4/conf/all/arp_ignore', value: '1', enough: ['2'] },
  { kind: 'sysctl', key: 'net/ipv4/conf/all/arp_announce', value: '2' },
];

/**
 * Requests come in by another way than answers go out: by a tunnel, or from the director's segment. Where the
 * reverse path is checked strictly (1) that drops them; loose (2) wins as the largest of `all` and the device.
 */
function pathSettings({ sysctls }: HostFacts): Setting[] {
  const key = 'net/ipv4/conf/all/rp_filter';
  const isStrict = Object.entries(sysctls).some(
    ([name, value]) => /^net\/ipv4\/conf\/[^/]+\/rp_filter$/.test(name) && value === '1',
  );
  return isStrict || sysctls[key] === '2' ? [{ kind: 'sysctl', key, value: '2' }] : [];
}

/** Why a host can not be a real server for these addresses; empty when it can. */
export function realServerProblems({ vips }: RealServerWishes, { devices }: HostFacts): string[] {
  return devices.flatMap(({ name, addresses }) =>
    addresses
      .filter(({ address }) => vips.includes(address))
      .flatMap(({ address, length }) => {
        const at = `${address}/${length} is on ${name}`;
        if (!['lo', TUNNEL[4].sign, TUNNEL[6].sign].includes(name)) {
          return [
            `${at}, where the segment hears of it; a real server has it on lo or a tunnel: remove it there`,
          ];
        }
        const isWhole = length === (familyOf(address) === 4 ? 32 : 128);
        return isWhole ? [] : [`${at}, which makes the whole network local: remove it there`];
      }),
  );
}
