import type { VrrpSettings } from '../../vrrp/settings.ts';
import type { AddressLine } from '../grammar/address.ts';
import type { root } from '../grammar/root.ts';
import type { RouteLine } from '../grammar/route.ts';
import type { RuleLine } from '../grammar/rule.ts';
import type { Token } from '../lex.ts';
import type { Item, Section } from '../tree.ts';
import type { Context } from './context.ts';
import { globalSection } from './global.ts';

type Named = readonly [device: string | undefined, at: Token];

/**
 * Warns of addresses, routes and rules on interfaces that this host has not: they wait. keepalived does not start, or
 * leaves them out, unless `dynamic_interfaces` is said. VMACs of the file itself will be there.
 */
export function checkDevices(
  file: Section<typeof root>,
  instances: readonly VrrpSettings[],
  { facts, findings }: Context,
): void {
  if (globalSection(file).has('dynamic_interfaces')) return;
  const made = new Set(instances.flatMap(({ virtual }) => (virtual === undefined ? [] : [virtual.name])));
  const blocks = file
    .all('vrrp_instance')
    .flatMap(({ section }): readonly Named[] => [
      ...addresses(section.items('virtual_ipaddress')),
      ...addresses(section.items('virtual_ipaddress_excluded')),
      ...routes(section.items('virtual_routes')),
      ...rules(section.items('virtual_rules')),
    ]);
  const always = [
    ...addresses(file.items('static_ipaddress')),
    ...routes(file.items('static_routes')),
    ...rules(file.items('static_rules')),
  ];
  for (const [device, at] of [...blocks, ...always]) {
    if (device === undefined || made.has(device) || facts.hasInterface(device)) continue;
    findings.warning(at, `there is no interface ${device} yet: this waits for it`, {
      hint: 'write dynamic_interfaces in global_defs when it comes later',
    });
  }
}

const addresses = (items: readonly Item<AddressLine>[]): Named[] =>
  items.map(({ value, at }) => [value.options.dev, at]);

const routes = (items: readonly Item<RouteLine>[]): Named[] =>
  items.flatMap(({ value, at }) =>
    [value.options, ...value.hops].map(({ dev, oif }): Named => [dev ?? oif, at]),
  );

/** A rule's interfaces may come and go: the kernel takes it all the same, but a name that is none is a mistake. */
const rules = (items: readonly Item<RuleLine>[]): Named[] =>
  items.flatMap(({ value, at }): Named[] => [
    [value.dev ?? value.iif, at],
    [value.oif, at],
  ]);
