/** The configuration of both daemons: the very same text, in keepalived's language. */

export const INTERFACE = 'lan';
/** Everything that the bench's virtual addresses lie in, and nothing else does. */
export const VIP_RANGE = '10.9.0.0/16';
/** An advert's list of addresses has room for 255; keepalived moves more than that to the excluded ones. */
const ADVERTISED_MAX = 200;
const GROUP_BITS = 8;

/** The `n`th virtual address, from 0. */
export const vip = (n: number): string => `10.9.${(n >> GROUP_BITS) + 1}.${n & 0xff}`;

export interface Router {
  readonly version: 2 | 3;
  /** Advertisement interval in milliseconds: whole seconds for version 2, tens for version 3. */
  readonly interval: number;
  /** In all. */
  readonly vips: number;
  /** Virtual routers that share the addresses evenly; one when absent. */
  readonly instances?: number;
  /** `vrrp_rt_priority`; without it the daemon's default. */
  readonly realTime?: number;
}

/** The virtual routers are numbered from here. */
export const FIRST_VRID = 51;

export const PRIORITY = { master: 200, backup: 100 } as const;
export type Role = keyof typeof PRIORITY;

/** The text for one of the two directors. `extra`: addresses beyond the router's own, for the first instance. */
export function configuration(router: Router, role: Role, extra: readonly string[] = []): string {
  const { instances = 1, vips } = router;
  const each = Math.ceil(vips / instances);
  const addressesOf = (i: number): string[] =>
    Array.from({ length: each }, (_, n) => vip(i * each + n)).concat(i === 0 ? extra : []);
  return [
    'global_defs {',
    `  router_id ${role}`,
    `  vrrp_version ${router.version}`,
    ...(router.realTime === undefined ? [] : [`  vrrp_rt_priority ${router.realTime}`]),
    '}',
    ...Array.from({ length: instances }, (_, i) =>
      instance(router, role, FIRST_VRID + i, addressesOf(i)),
    ).flat(),
    '',
  ].join('\n');
}

function instance(router: Router, role: Role, vrid: number, addresses: readonly string[]): string[] {
  const lines = addresses.map((address) => `    ${address}/32 dev ${INTERFACE}`);
  const [advertised, excluded] = [lines.slice(0, ADVERTISED_MAX), lines.slice(ADVERTISED_MAX)];
  const block = (name: string, body: readonly string[]): string[] =>
    body.length === 0 ? [] : [`  ${name} {`, ...body, '  }'];
  return [
    `vrrp_instance bench${vrid} {`,
    `  state ${role.toUpperCase()}`,
    `  interface ${INTERFACE}`,
    `  virtual_router_id ${vrid}`,
    `  priority ${PRIORITY[role]}`,
    `  advert_int ${router.interval / 1000}`,
    ...block('virtual_ipaddress', advertised),
    ...block('virtual_ipaddress_excluded', excluded),
    '}',
  ];
}

/** How long the backup waits before it takes its priority into account (RFC 9568 and RFC 3768, 6.1), in ms. */
export function skew(router: Router): number {
  const unit = router.version === 2 ? 1000 : router.interval;
  return ((256 - PRIORITY.backup) / 256) * unit;
}

/** From the last advert to the backup's decision (Master_Down_Interval), in ms. */
export const masterDown = (router: Router): number => 3 * router.interval + skew(router);
