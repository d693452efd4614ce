import type { NotifyConfiguration, NotifyEvent, NotifySettings } from '../../notify/settings.ts';
import { FIFO_KEYWORDS } from '../build/fifo.ts';
import { NOTIFY_KEYWORDS } from '../build/notify.ts';
import type { GlobalSettings } from '../model.ts';
import { commandText, onOff, secondsText, section, setting, when, word } from './text.ts';

/** What `global_defs` says of the daemon's own scripts. */
export function ownScriptLines({ scriptGroups, ...global }: GlobalSettings): string[] {
  const own = (['startup', 'shutdown'] as const).flatMap((which) => {
    const script = global[which];
    if (script === undefined) return [];
    const timeout = secondsText(script.timeout);
    return [`${which}_script ${commandText(script)}`, `${which}_script_timeout ${timeout}`];
  });
  return [...when(scriptGroups, 'set_supplementary_groups'), ...own];
}

/** What `global_defs` says of the files that signals have written. */
export const dumpLines = ({ dumps: { state, stats, json, jsonVersion } }: GlobalSettings): string[] => [
  ...setting('state_dump_file', state && word(state)),
  ...setting('stats_dump_file', stats && word(stats)),
  ...setting('json_dump_file', json && word(json)),
  `json_version ${jsonVersion}`,
];

/** What `global_defs` says of reloads and new files. */
export const reloadLines = ({ reload: { timeFile, repeat, marker }, umask }: GlobalSettings): string[] => [
  ...setting('reload_time_file', timeFile && word(timeFile)),
  ...when(repeat, 'reload_repeat'),
  ...when(marker !== undefined, `reload_file ${word(marker ?? '')}`.trimEnd()),
  ...setting('umask', umask === undefined ? undefined : `0${umask.toString(8)}`),
];

/** What `global_defs` says of scripts, pipes and mail. */
export function notifyGlobals({ fifos, mail, timeout, statesOnReload }: NotifyConfiguration): string[] {
  const pipes = Object.entries(fifos).flatMap(([kind, { path, user, reader }]) => {
    const [keyword, script] = FIFO_KEYWORDS[kind as keyof typeof FIFO_KEYWORDS];
    const owner = user === undefined ? '' : ` ${user.uid} ${user.gid}`;
    return [`${keyword} ${word(path)}${owner}`, ...setting(script, reader && commandText(reader))];
  });
  return [
    `notify_timeout ${secondsText(timeout)}`,
    ...pipes,
    ...when(statesOnReload, 'fifo_write_vrrp_states_on_reload'),
    ...(mail === undefined ? [] : mailLines(mail)),
  ];
}

const mailLines = (mail: NonNullable<NotifyConfiguration['mail']>): string[] => [
  ...section('notification_email', mail.to.map(word)),
  ...setting('notification_email_from', mail.from && word(mail.from)),
  `smtp_server ${mail.host} ${mail.port}`,
  ...setting('smtp_helo_name', mail.helo && word(mail.helo)),
  `smtp_connect_timeout ${secondsText(mail.connectTimeout)}`,
  ...when(!mail.faults, 'no_email_faults'),
  ...when(!mail.eachCheck, 'no_checker_emails'),
];

/** Of one instance, group, virtual server or real server. */
export function notifyLines(
  { subjects, mail }: NotifyConfiguration,
  of: NotifySettings['of'],
  name: string,
  service?: string,
): string[] {
  const found = subjects.find((s) => s.of === of && s.name === name && s.service === service);
  const scripts = Object.entries(found?.scripts ?? {}).flatMap(([event, command]) =>
    setting(NOTIFY_KEYWORDS[of][event as NotifyEvent] ?? event, commandText(command)),
  );
  return [
    ...scripts,
    ...when(found?.toldOfEnd === true, 'notify_deleted'),
    ...when(mail !== undefined, `smtp_alert ${onOff(found?.mail ?? false)}`),
    ...when(found?.priorities === true, 'notify_priority_changes on'),
  ];
}
