import { SYNC_PORT } from '../../sync/message.ts';
import { BULK_PORT, SYNC_ALARM, type SyncDaemonSettings } from '../../sync/settings.ts';
import { type LvsSysctl, wrongSysctl } from '../../sync/sysctls.ts';
import { micros, seconds } from '../../time.ts';
import type { VrrpSettings } from '../../vrrp/settings.ts';
import type { Runner } from '../facts.ts';
import type { Findings } from '../findings.ts';
import type { globalDefs } from '../grammar/global.ts';
import type { root } from '../grammar/root.ts';
import type { GlobalSettings, Namespaces } from '../model.ts';
import { nearest } from '../spelling.ts';
import { Section } from '../tree.ts';
import type { Context } from './context.ts';
import { placementsOf } from './placement.ts';
import { runnerOf, scriptCommand } from './script.ts';

/** `child_wait_time`, and the timeouts of the daemon's own scripts, unless they are said. */
const STOP_GRACE = seconds(5);
const OWN_TIMEOUT = seconds(10);

/** All `global_defs` blocks as one: the last of a keyword counts, wherever it stands. */
export function globalSection(file: Section<typeof root>): Section<typeof globalDefs> {
  return Section.joined(file.all('global_defs'));
}

function dumpsOf(global: Section<typeof globalDefs>): GlobalSettings['dumps'] {
  const [state, stats, json] = (['state', 'stats', 'json'] as const).map((what) =>
    global.value(`${what}_dump_file`),
  );
  return {
    ...(state !== undefined && { state }),
    ...(stats !== undefined && { stats }),
    ...(json !== undefined && { json }),
    jsonVersion: global.value('json_version') === 2 ? 2 : 1,
  };
}

function reloadOf(global: Section<typeof globalDefs>): GlobalSettings['reload'] {
  const timeFile = global.value('reload_time_file');
  return {
    ...(timeFile !== undefined && { timeFile }),
    repeat: global.has('reload_repeat'),
    ...(global.has('reload_file') && { marker: global.value('reload_file') ?? '' }),
  };
}

/** The names of sys/stat.h, as bits. */
const MODES = ['IXOTH', 'IWOTH', 'IROTH', 'IXGRP', 'IWGRP', 'IRGRP', 'IXUSR', 'IWUSR', 'IRUSR'];

/** A number, octal with a 0 before it, or names of bits between `|`. */
function umaskOf(global: Section<typeof globalDefs>, { findings }: Context): Pick<GlobalSettings, 'umask'> {
  const entry = global.last('umask');
  if (entry === undefined) return {};
  const text = entry.values[0].join('');
  const number = /^0[0-7]*$/.test(text)
    ? Number.parseInt(text, 8)
    : /^[1-9]\d*$/.test(text)
      ? Number(text)
      : -1;
  const bits = text.split('|').map((name) => MODES.indexOf(name.trim().replace(/^S_/, '')));
  const umask =
    number >= 0 ? number : bits.includes(-1) ? -1 : bits.reduce((all, bit) => all | (1 << bit), 0);
  if (umask >= 0 && umask <= 0o777) return { umask };
  const hint = 'write 022, or IWGRP|IWOTH';
  findings.error(entry.words[1] ?? entry.keyword, 'umask is a number up to 0777, or names of bits', { hint });
  return {};
}

/** `startup_script` and `shutdown_script`. */
export function ownScripts(
  global: Section<typeof globalDefs>,
  context: Context,
): Pick<GlobalSettings, 'startup' | 'shutdown'> {
  const found = (['startup', 'shutdown'] as const).flatMap((which) => {
    const entry = global.last(`${which}_script`);
    const script = entry && scriptCommand(entry.values[0], entry.keyword, 'notified', context);
    const timeout = global.value(`${which}_script_timeout`) ?? OWN_TIMEOUT;
    return script === undefined ? [] : [[which, { ...script, timeout }]];
  });
  return Object.fromEntries(found);
}

export function buildGlobal(file: Section<typeof root>, context: Context): GlobalSettings {
  const global = globalSection(file);
  const { scriptUser: user } = context;
  const routerId = global.value('router_id');
  const vmacPrefix = global.value('vmac_addr_prefix') ?? global.value('vmac_prefix');
  const saveFolder = global.value('config_save_dir');
  const timeouts = global.value('lvs_timeouts');
  const sysctls = lvsSysctls(global, context.findings);
  const flushOnStop = global.last('lvs_flush_on_stop');
  return {
    ...(routerId === undefined ? {} : { routerId }),
    placements: placementsOf(global),
    start: {
      delay: global.value('vrrp_startup_delay') ?? micros(0),
      afterBoot: global.value('vrrp_delay_after_boot') ?? micros(0),
    },
    ...(user === undefined || 'missing' in user ? {} : { scriptUser: user }),
    scriptSecurity: context.secure,
    scriptGroups: global.value('set_supplementary_groups') ?? false,
    dumps: dumpsOf(global),
    reload: reloadOf(global),
    ...(saveFolder === undefined ? {} : { saveFolder }),
    ...umaskOf(global, context),
    stopGrace: file.value('child_wait_time') ?? STOP_GRACE,
    namespaces: namespacesOf(file),
    firewall: {
      table: global.value('nftables') ?? 'vipkeeper',
      priority: global.value('nftables_priority') ?? -1,
      byIndex: global.has('nftables_ifindex'),
      counters: global.has('nftables_counters'),
    },
    leaseTables: global.value('nftables_lease') ?? true,
    ...(vmacPrefix === undefined ? {} : { vmacPrefix }),
    flush: global.has('lvs_flush'),
    dynamicInterfaces: global.has('dynamic_interfaces'),
    quietIgmp: global.has('disable_local_igmp'),
    logUnknownVrids: global.has('log_unknown_vrids'),
    flushOnStop: flushOnStop !== undefined && flushOnStop.values[0] !== 'VS',
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(sysctls.length === 0 ? {} : { lvsSysctls: sysctls }),
    initNotifies: global.value('rs_init_notifies') ?? false,
  };
}

/** `net_namespace` and `net_namespace_ipvs`. */
export function namespacesOf(file: Section<typeof root>): Namespaces {
  const own = file.value('net_namespace');
  const ipvs = file.last('net_namespace_ipvs');
  return {
    ...(own === undefined ? {} : { own }),
    ...(ipvs === undefined ? {} : { ipvs: ipvs.values[0] ?? '' }),
  };
}

/** `lvs_sysctl`: of a name that is said twice, the last. */
function lvsSysctls(global: Section<typeof globalDefs>, findings: Findings): LvsSysctl[] {
  const found = new Map<string, LvsSysctl>();
  for (const { values, keyword, words } of global.all('lvs_sysctl')) {
    const [name, first, second] = values;
    const wrong = wrongSysctl(name, first, second);
    if (wrong !== undefined) findings.error(words[1] ?? keyword, wrong);
    const value = second === undefined ? `${first}` : `${first} ${second}`;
    found.set(name, { name, value });
  }
  return [...found.values()];
}

/** `script_user`, else the user that keepalived looks for. */
export function scriptUser(file: Section<typeof root>, { facts, findings }: Context): Runner | undefined {
  const written = globalSection(file).last('script_user');
  if (written === undefined) return facts.user('keepalived_script');
  const user = runnerOf(written.values, facts);
  if ('missing' in user) {
    const what = 'no script runs that names no user, and each check by one fails';
    findings.warning(written.keyword, `there is no user ${user.missing.join(' ')}: ${what}`);
  }
  return user;
}

/** `lvs_bulk_port`, beside the kernel's own port. */
function bulkPort(file: Section<typeof root>, kernels = SYNC_PORT, findings: Findings): number {
  const written = globalSection(file).last('lvs_bulk_port');
  if (written === undefined) return kernels === BULK_PORT ? 0 : BULK_PORT;
  const [port] = written.values;
  if (port === kernels)
    findings.error(
      written.keyword,
      `lvs_bulk_port: ${port} is the port of lvs_sync_daemon: take another one`,
    );
  if (port !== 0 && !file.has('heartbeat'))
    findings.warning(
      written.keyword,
      'lvs_bulk_port has no effect without a heartbeat block, which has the key',
    );
  return port;
}

/** Where `preempt_after_sync` waits for what cannot come. */
export function checkAwaitedSync(
  file: Section<typeof root>,
  sync: SyncDaemonSettings | undefined,
  { findings }: Pick<Context, 'findings'>,
): void {
  const lacking =
    sync === undefined
      ? 'lvs_sync_daemon in global_defs'
      : !file.has('heartbeat')
        ? 'a heartbeat block'
        : sync.bulkPort === 0
          ? 'lvs_bulk_port'
          : undefined;
  if (lacking === undefined) return;
  for (const { section } of file.all('vrrp_instance')) {
    const at = section?.token('preempt_after_sync');
    if (at !== undefined)
      findings.error(at, `preempt_after_sync needs ${lacking}: no copy of the table comes without`);
  }
}

/** `lvs_sync_daemon`, with the VRRP instance that it follows. */
export function buildSyncDaemon(
  file: Section<typeof root>,
  instances: readonly VrrpSettings[],
  findings: Findings,
): SyncDaemonSettings | undefined {
  const entry = globalSection(file).last('lvs_sync_daemon');
  if (entry === undefined) return undefined;
  const [device, { inst, ...rest }] = entry.values;
  const followed = instances.find((instance) => instance.name === inst);
  const known = file.all('vrrp_instance').map((instance) => instance.values[0]);
  if (inst !== undefined && !known.includes(inst)) {
    const near = nearest(inst, known);
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    const at = entry.words.find((word) => word.text === inst) ?? entry.keyword;
    findings.error(at, `lvs_sync_daemon: there is no vrrp_instance ${inst}`, { hint });
  }
  return {
    interface: device,
    ...(inst === undefined ? {} : { instance: inst }),
    ...rest,
    id: rest.id ?? followed?.vrid ?? 0,
    bulkPort: bulkPort(file, rest.port, findings),
    alarm: globalSection(file).last('lvs_sync_alarm')?.values[0] ?? SYNC_ALARM,
  };
}
