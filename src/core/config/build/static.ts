import type { MasterRouting, StaticAddress, StaticSettings, TrackGroup } from '../../reconcile/settings.ts';
import type { AddressLine } from '../grammar/address.ts';
import type { root } from '../grammar/root.ts';
import type { Item, Section } from '../tree.ts';
import { virtualAddress } from './address.ts';
import { type Context, Names } from './context.ts';
import { globalSection } from './global.ts';
import { membersOf } from './group.ts';
import { Numbers } from './numbers.ts';
import { given, keepingOf, type Lines, routeSettings } from './route.ts';
import { assignedPriorities, ruleSettings } from './rule.ts';

type File = Section<typeof root>;

const DEFAULT_INTERFACE = 'eth0';

/** What the file says of routes, rules and static addresses. */
export interface Routing {
  readonly statics: StaticSettings;
  /** Of the instances that have any. */
  readonly routing: readonly MasterRouting[];
}

export function buildRouting(file: File, context: Context): Routing {
  const groups = buildTrackGroups(file, context);
  const master: Lines = { context, numbers: new Numbers(file, context) };
  const always: Lines = { ...master, groups: groups.map(({ name }) => name) };
  const priorities = assignedPriorities(file, context);
  const device = globalSection(file).value('default_interface') ?? DEFAULT_INTERFACE;
  return {
    statics: {
      addresses: file.items('static_ipaddress').map((item) => staticAddress(item, device, always)),
      routes: file.items('static_routes').flatMap((item) => routeSettings(item, always) ?? []),
      rules: file.items('static_rules').flatMap((item) => ruleSettings(item, always, priorities) ?? []),
      groups,
    },
    routing: file
      .all('vrrp_instance')
      .map(({ section, values }) => ({
        instance: values[0],
        routes: section.items('virtual_routes').flatMap((item) => routeSettings(item, master) ?? []),
        rules: section.items('virtual_rules').flatMap((item) => ruleSettings(item, master, priorities) ?? []),
      }))
      .filter(({ routes, rules }) => routes.length + rules.length > 0),
  };
}

/** All `track_group` blocks. */
function buildTrackGroups(file: File, context: Context): TrackGroup[] {
  const names = new Names('track_group', context.findings);
  return file.all('track_group').flatMap(({ section, keyword, values }) => {
    const isNew = names.add(values[0], keyword);
    const members = membersOf(file, section.items('group'), new Map(), context);
    return isNew ? [{ name: values[0], members }] : [];
  });
}

function staticAddress(item: Item<AddressLine>, device: string, lines: Lines): StaticAddress {
  const { dev = device, ...address } = virtualAddress(item, lines.context.findings);
  const { group } = keepingOf(item.value.options, item.at, lines);
  return { ...address, dev, ...given('group', group) };
}
