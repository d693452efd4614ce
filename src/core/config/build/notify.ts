import { blockTitle, serverTitle } from '../../balance/titles.ts';
import type {
  NotifyConfiguration,
  NotifyEvent,
  NotifySettings,
  ScriptCommand,
} from '../../notify/settings.ts';
import { seconds } from '../../time.ts';
import type { fencing } from '../grammar/fence.ts';
import type { globalDefs } from '../grammar/global.ts';
import type { root } from '../grammar/root.ts';
import type { realServer } from '../grammar/virtual.ts';
import type { vrrpInstance } from '../grammar/vrrp.ts';
import { type Entry, Section } from '../tree.ts';
import type { Context } from './context.ts';
import { buildFifos } from './fifo.ts';
import { globalSection } from './global.ts';
import { buildMail } from './mail.ts';
import { scriptCommand } from './script.ts';
import type { VirtualServer } from './virtual.ts';

type File = Section<typeof root>;
type Global = Section<typeof globalDefs>;
type Scripts = NotifySettings['scripts'];
type ScriptEntry = Entry<(typeof realServer)['notify_up']> | Entry<(typeof vrrpInstance)['notify_deleted']>;

/** The keyword of each event; those of instances only are last. */
const GROUP_KEYWORDS = {
  master: 'notify_master',
  backup: 'notify_backup',
  fault: 'notify_fault',
  stop: 'notify_stop',
  any: 'notify',
} as const;
const INSTANCE_KEYWORDS = {
  ...GROUP_KEYWORDS,
  deleted: 'notify_deleted',
  lower: 'notify_master_rx_lower_pri',
} as const;
const SERVICE_KEYWORDS = { up: 'quorum_up', down: 'quorum_down' } as const;
const FENCING_KEYWORDS = { any: 'notify' } as const;
const SERVER_KEYWORDS = { up: 'notify_up', down: 'notify_down' } as const;
/** The keywords of whoever is told of. */
export const NOTIFY_KEYWORDS: Record<NotifySettings['of'], { readonly [event in NotifyEvent]?: string }> = {
  instance: INSTANCE_KEYWORDS,
  group: GROUP_KEYWORDS,
  service: SERVICE_KEYWORDS,
  server: SERVER_KEYWORDS,
  fencing: FENCING_KEYWORDS,
};
/** `notify_timeout` unless it is said. */
const NOTIFY_TIMEOUT = seconds(60);

export function buildNotify(
  file: File,
  servers: readonly VirtualServer[],
  context: Context,
): NotifyConfiguration {
  const global = globalSection(file);
  const mail = buildMail(global, context);
  const subjects = [
    ...routers(file, global, mail !== undefined, context),
    alarms(file, global, mail !== undefined, context),
    ...servers.flatMap((server) => balanced(server, global, mail !== undefined, context)),
  ];
  return {
    subjects: subjects.filter(
      ({ scripts, mail: mailed, priorities, toldOfEnd }) =>
        Object.keys(scripts).length > 0 || mailed || priorities === true || toldOfEnd === true,
    ),
    fifos: buildFifos(global, context),
    ...(mail !== undefined && { mail }),
    timeout: global.value('notify_timeout') ?? NOTIFY_TIMEOUT,
    statesOnReload: global.has('fifo_write_vrrp_states_on_reload'),
  };
}

/** All instances and groups. */
function routers(file: File, global: Global, mails: boolean, context: Context): NotifySettings[] {
  const mailed = global.value('smtp_alert_vrrp') ?? global.value('smtp_alert') ?? false;
  const changes = global.value('vrrp_notify_priority_changes') ?? false;
  const ofGroup = new Map(
    file.all('vrrp_sync_group').flatMap(({ section }) => {
      const told = section.value('notify_priority_changes');
      return section.items('group').map(({ value }) => [value, told] as const);
    }),
  );
  const instances = file.all('vrrp_instance').map(({ section, values }): NotifySettings => {
    const priorities = section.value('notify_priority_changes') ?? ofGroup.get(values[0]) ?? changes;
    const isBare = section.has('notify_deleted') && section.value('notify_deleted') === undefined;
    return {
      of: 'instance',
      name: values[0],
      scripts: scriptsOf(INSTANCE_KEYWORDS, (keyword) => section.last(keyword), context),
      mail: mails && (section.value('smtp_alert') ?? mailed),
      ...(priorities && { priorities }),
      ...(isBare && { toldOfEnd: true }),
    };
  });
  const groups = file.all('vrrp_sync_group').map(
    ({ section, values }): NotifySettings => ({
      of: 'group',
      name: values[0],
      scripts: scriptsOf(GROUP_KEYWORDS, (keyword) => section.last(keyword), context),
      mail: mails && (section.value('smtp_alert') ?? mailed),
    }),
  );
  return [...instances, ...groups];
}

/** Who hears of alarms of the cluster. */
function alarms(file: File, global: Global, mails: boolean, context: Context): NotifySettings {
  const section: Section<typeof fencing> = Section.joined(file.all('fencing'));
  const mailed = global.value('smtp_alert_vrrp') ?? global.value('smtp_alert') ?? false;
  return {
    of: 'fencing',
    name: '',
    scripts: scriptsOf(FENCING_KEYWORDS, (keyword) => section.last(keyword), context),
    mail: mails && (section.value('smtp_alert') ?? mailed),
  };
}

/** One virtual server with its real servers. */
function balanced(
  { entry: { section }, settings, servers: built }: VirtualServer,
  global: Global,
  mails: boolean,
  context: Context,
): NotifySettings[] {
  const mailed = global.value('smtp_alert_checker') ?? global.value('smtp_alert');
  const omega = section.has('omega');
  const service = {
    scripts: scriptsOf(SERVICE_KEYWORDS, (keyword) => section.last(keyword), context),
    mail: mails && (section.value('smtp_alert') ?? mailed ?? false),
    ...(omega && { omega }),
  };
  const title = blockTitle(settings);
  const servers = built.flatMap(
    ({ entry: { section: server }, settings: { destination } }): NotifySettings[] => {
      const scripts = scriptsOf(SERVER_KEYWORDS, (keyword) => server.last(keyword), context);
      const mail = mails && (server.value('smtp_alert') ?? mailed ?? true);
      if (scripts === NO_SCRIPTS && !mail) return [];
      const name = serverTitle(destination.address, destination.port, settings);
      return [{ of: 'server', name, service: title, scripts, mail, ...(omega && { omega }) }];
    },
  );
  return [{ of: 'service', name: title, ...service }, ...servers];
}

const NO_SCRIPTS: Scripts = {};

function scriptsOf<K extends string>(
  keywords: { readonly [event in NotifyEvent]?: K },
  last: (keyword: K) => ScriptEntry | undefined,
  context: Context,
): Scripts {
  const found: [string, ScriptCommand][] = [];
  for (const [event, keyword] of Object.entries(keywords)) {
    const entry = last(keyword);
    const [given] = entry?.values ?? [];
    const script = entry && given && scriptCommand(given, entry.keyword, 'notified', context);
    if (script !== undefined) found.push([event, script]);
  }
  return found.length === 0 ? NO_SCRIPTS : Object.fromEntries(found);
}
