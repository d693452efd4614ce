import { seconds } from '../../time.ts';
import type { vrrpSyncGroup } from '../grammar/group.ts';
import type { root } from '../grammar/root.ts';
import type { vrrpInstance } from '../grammar/vrrp.ts';
import type { NotifyEvent, NotifySettings, ScriptCommand } from '../model.ts';
import type { Entry, Section } from '../tree.ts';
import type { Context } from './context.ts';
import { globalSection } from './global.ts';
import { scriptCommand } from './script.ts';

/** The keyword of each event; those of instances only are last. */
export const NOTIFY_KEYWORDS = {
  master: 'notify_master',
  backup: 'notify_backup',
  fault: 'notify_fault',
  stop: 'notify_stop',
  any: 'notify',
  deleted: 'notify_deleted',
  lower: 'notify_master_rx_lower_pri',
} as const satisfies Record<NotifyEvent, string>;
const GROUP_EVENTS = ['master', 'backup', 'fault', 'stop', 'any'] as const;
const INSTANCE_EVENTS = [...GROUP_EVENTS, 'deleted', 'lower'] as const;
/** `notify_timeout` unless it is said. */
export const NOTIFY_TIMEOUT = seconds(60);

/** The scripts of all instances and groups that have any. */
export function buildNotify(file: Section<typeof root>, context: Context): NotifySettings[] {
  const timeout = globalSection(file).value('notify_timeout') ?? NOTIFY_TIMEOUT;
  const instances = file.all('vrrp_instance').map(({ section, values }): NotifySettings => {
    const scripts = INSTANCE_EVENTS.map((event) => scriptOf(section, event, context));
    return { of: 'instance', name: values[0], scripts: Object.fromEntries(scripts.flat()), timeout };
  });
  const groups = file.all('vrrp_sync_group').map(({ section, values }): NotifySettings => {
    const scripts = GROUP_EVENTS.map((event) => groupScript(section, event, context));
    return { of: 'group', name: values[0], scripts: Object.fromEntries(scripts.flat()), timeout };
  });
  return [...instances, ...groups].filter(({ scripts }) => Object.keys(scripts).length > 0);
}

type Found = [NotifyEvent, ScriptCommand][];

const scriptOf = (section: Section<typeof vrrpInstance>, event: NotifyEvent, context: Context): Found =>
  commandOf(event, section.last(NOTIFY_KEYWORDS[event]), context);

const groupScript = (
  section: Section<typeof vrrpSyncGroup>,
  event: (typeof GROUP_EVENTS)[number],
  context: Context,
): Found => commandOf(event, section.last(NOTIFY_KEYWORDS[event]), context);

function commandOf(
  event: NotifyEvent,
  entry: Entry<(typeof vrrpSyncGroup)['notify']> | undefined,
  context: Context,
): Found {
  if (entry === undefined) return [];
  const command = scriptCommand(entry.values[0], entry.keyword, 'notified', context);
  return command === undefined ? [] : [[event, command]];
}
