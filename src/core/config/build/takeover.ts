import type { GroupSettings, TakeoverSettings } from '../../vrrp/settings.ts';
import type { takeoverKeywords } from '../grammar/fence.ts';
import type { root } from '../grammar/root.ts';
import type { Section } from '../tree.ts';
import type { Context } from './context.ts';

/** What a virtual router or sync group says of taking over. */
export function takeoverOf(section: Section<typeof takeoverKeywords>): TakeoverSettings {
  const onFenceFailure = section.value('on_fence_failure');
  const takeoverPolicy = section.value('takeover_policy');
  return { ...(onFenceFailure && { onFenceFailure }), ...(takeoverPolicy && { takeoverPolicy }) };
}

/** Warns of what has no effect: a group's word counts for all of it, and what is about fencing needs a device. */
export function checkTakeover(
  file: Section<typeof root>,
  groups: readonly GroupSettings[],
  { findings }: Context,
): void {
  const grouped = new Map(groups.flatMap(({ name, members }) => members.map((member) => [member, name])));
  for (const { section, values } of file.all('vrrp_instance')) {
    const [name] = values;
    const group = grouped.get(name);
    if (group === undefined) continue;
    for (const word of ['on_fence_failure', 'takeover_policy'] as const) {
      const at = section.token(word);
      if (at !== undefined)
        findings.warning(at, `${word} has no effect in the sync group ${group}`, {
          hint: 'write it in the group: its members take over as one',
        });
    }
  }
  if (file.has('fence_device')) return;
  for (const { section } of [...file.all('vrrp_instance'), ...file.all('vrrp_sync_group')]) {
    const at = section.token('on_fence_failure');
    if (at !== undefined) findings.warning(at, 'on_fence_failure without a fence_device does nothing');
  }
}
