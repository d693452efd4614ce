import type { HostFacts, Setting } from './setting.ts';

/** What a director is to be prepared for, beside forwarding IPv4. */
export interface DirectorWishes {
  readonly ipv6: boolean;
  /** Connections of IPVS are seen by connection tracking, and so by NAT rules. */
  readonly conntrack: boolean;
  /** Networks of real servers that reach the world through this host. */
  readonly masquerade: readonly string[];
  /** Sysctls below net/ipv4/vs by name. */
  readonly vs: Readonly<Record<string, string>>;
}

const VS = 'net/ipv4/vs';
/** Is there when IPVS is. */
const SIGN = `${VS}/conntrack`;

/** It forwards, and does not tell the servers of a segment of a shorter way past itself. */
export function directorSettings(wishes: DirectorWishes, { sysctls }: HostFacts): Setting[] {
  const { ipv6, conntrack, masquerade, vs } = wishes;
  const set = (key: string, value: string): Setting => ({ kind: 'sysctl', key, value });
  const each = (pattern: RegExp): string[] =>
    Object.keys(sysctls)
      .filter((key) => pattern.test(key))
      .sort();
  const advertised = each(/^net\/ipv6\/conf\/(?!all\/|lo\/)[^/]+\/accept_ra$/);
  return [
    // Otherwise it is loaded by whoever makes the first virtual server.
    ...(conntrack || Object.keys(vs).length > 0
      ? [{ kind: 'module', name: 'ip_vs', sign: SIGN } as const]
      : []),
    set('net/ipv4/ip_forward', '1'),
    // Off only where it is off for all and for the interface.
    ...each(/^net\/ipv4\/conf\/(?!lo\/)[^/]+\/send_redirects$/).map((key) => set(key, '0')),
    ...(ipv6
      ? [
          // A router does not listen to other routers (1) unless told to (2): its default route would go.
          ...advertised.filter((key) => ['1', '2'].includes(sysctls[key] ?? '')).map((key) => set(key, '2')),
          set('net/ipv6/conf/all/forwarding', '1'),
        ]
      : []),
    ...(conntrack ? [set(SIGN, '1')] : []),
    ...Object.entries(vs).map(([name, value]) => set(`${VS}/${name}`, value)),
    ...masquerade.map((network): Setting => ({ kind: 'masquerade', network })),
  ];
}

/** Sysctls that were asked for and that this kernel does not have; without IPVS nobody knows yet. */
export function directorProblems({ vs }: DirectorWishes, { sysctls }: HostFacts): string[] {
  if (!(SIGN in sysctls)) return [];
  return Object.keys(vs)
    .filter((name) => !(`${VS}/${name}` in sysctls))
    .map((name) => `this kernel has no sysctl net.ipv4.vs.${name}`);
}
