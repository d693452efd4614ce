import { micros } from '../../time.ts';
import type { GroupSettings, LinkDelays, VrrpSettings } from '../../vrrp/settings.ts';
import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import type { Item, Section } from '../tree.ts';
import { type Context, Names, unknownName } from './context.ts';
import { takeoverOf } from './takeover.ts';
import type { Watchables } from './tracking.ts';

type File = Section<typeof root>;

/** All `vrrp_sync_group` blocks. An instance is in one group at most. */
export function buildGroups(
  file: File,
  instances: readonly VrrpSettings[],
  watchables: Watchables,
  context: Context,
): GroupSettings[] {
  const { findings } = context;
  const names = new Names('vrrp_sync_group', findings);
  const taken = new Map<string, Token>();
  return file.all('vrrp_sync_group').flatMap(({ section, keyword, values }) => {
    const [name] = values;
    const isNew = names.add(name, keyword);
    const members = membersOf(file, section.items('group'), taken, context);
    if (members.length === 0 && !section.damaged) {
      findings.error(keyword, `vrrp_sync_group ${name} has no members`, {
        hint: 'write group { INSTANCE ... }',
      });
    }
    if (members.length === 1) findings.warning(keyword, `vrrp_sync_group ${name} has one member only`);
    const weights = section.has('sync_group_tracking_weight');
    if (!weights) warnOfWeights(name, members, instances, keyword, context);
    const track = watchables.track(section, keyword);
    return isNew ? [{ name, members, track, weights, ...takeoverOf(section) }] : [];
  });
}

/** The names in a `group` block, of instances that there are; `taken` has those of other groups. */
export function membersOf(
  file: File,
  items: readonly Item<string>[],
  taken: Map<string, Token>,
  { findings }: Context,
): string[] {
  const known = file.all('vrrp_instance').map(({ values }) => values[0]);
  const members: string[] = [];
  for (const { value, at } of items) {
    const first = taken.get(value);
    if (!known.includes(value)) {
      unknownName(findings, at, 'vrrp_instance', value, known);
    } else if (first !== undefined) {
      const related = { what: 'the first is here', span: first };
      findings.error(at, `vrrp_instance ${value} is in a sync group already`, { related });
    } else {
      taken.set(value, at);
      members.push(value);
    }
  }
  return members;
}

/** Members with priorities of their own would be pulled apart: their weights have no effect. */
function warnOfWeights(
  group: string,
  members: readonly string[],
  instances: readonly VrrpSettings[],
  at: Token,
  { findings }: Context,
): void {
  for (const { name, track = [] } of instances) {
    if (!members.includes(name)) continue;
    const weighted = track.find(({ weight, kind }) => weight !== 0 && kind !== 'process');
    if (weighted === undefined) continue;
    findings.warning(at, `the weights of what ${name} tracks have no effect in the group ${group}`, {
      hint: 'track it in the group, or write sync_group_tracking_weight',
    });
  }
}

/** `interface_up_down_delays`; an UP that is left out is 0, as in keepalived's code. */
export function buildDelays(file: File, { findings }: Context): LinkDelays[] {
  const names = new Names('the delay of', findings);
  return file.items('interface_up_down_delays').flatMap(({ value, at }) => {
    if (value.up === undefined) {
      findings.warning(at, 'a link that comes up is believed at once', {
        hint: "keepalived's manual says otherwise: write the second delay too",
      });
    }
    const { interface: device, down, up = micros(0) } = value;
    return names.add(device, at) ? [{ interface: device, down, up }] : [];
  });
}
