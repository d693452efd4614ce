import { buildBfd } from './build/bfd.ts';
import { checkReferences } from './build/checkers.ts';
import { buildCluster } from './build/cluster.ts';
import { type Context, Names, orderOf } from './build/context.ts';
import { checkDevices } from './build/devices.ts';
import { buildFencing, buildWatchdog } from './build/fence.ts';
import {
  buildGlobal,
  buildSyncDaemon,
  checkAwaitedSync,
  globalSection,
  ownScripts,
  scriptUser,
} from './build/global.ts';
import { buildDelays, buildGroups } from './build/group.ts';
import { checkHeld } from './build/held.ts';
import { checkBalanced } from './build/no-accept.ts';
import { buildNotify } from './build/notify.ts';
import { buildPacing } from './build/pacing.ts';
import { buildRelay } from './build/relay.ts';
import { buildRouting } from './build/static.ts';
import { checkTakeover } from './build/takeover.ts';
import { buildFiles, buildProcesses, buildScripts, Watchables } from './build/tracking.ts';
import { buildVirtualServers } from './build/virtual.ts';
import { buildInstances } from './build/vrrp.ts';
import type { Findings } from './findings.ts';
import type { root } from './grammar/root.ts';
import type { Configuration } from './model.ts';
import { Section, type Statement } from './tree.ts';

/** Without the instances that have the name of one above: much goes by that name. keepalived leaves them out too. */
function withoutNamesakes(statements: readonly Statement[], findings: Findings): readonly Statement[] {
  const names = new Names('vrrp_instance', findings);
  return statements.filter(({ name, values, keyword }) => {
    return name !== 'vrrp_instance' || values === undefined || names.add(String(values[0]), keyword);
  });
}

/**
 * The settings that a tree means, with the checks that need more than one statement. What is wrong is a
 * finding, and is left out of the result: the caller uses that only when there were no errors.
 */
export function build(
  statements: readonly Statement[],
  outside: Pick<Context, 'findings' | 'facts' | 'reader'>,
): Configuration {
  const { findings } = outside;
  const file = new Section<typeof root>(withoutNamesakes(statements, findings));
  const secure = globalSection(file).has('enable_script_security');
  const bare: Context = { ...outside, secure, order: orderOf(statements) };
  const user = scriptUser(file, bare);
  const context: Context = { ...bare, ...(user !== undefined && { scriptUser: user }) };
  const global = buildGlobal(file, context);
  const watchables = new Watchables(file, context);
  const instances = buildInstances(file, watchables, context);
  checkDevices(file, instances, context);
  const syncDaemon = buildSyncDaemon(file, instances, findings);
  checkAwaitedSync(file, syncDaemon, context);
  const relay = buildRelay(file, syncDaemon, context);
  checkReferences(file, context);
  const servers = buildVirtualServers(file, context);
  const services = servers.flatMap(({ settings }) => settings.services.map(({ key }) => key));
  checkBalanced(file, instances, services, global, findings);
  const routing = buildRouting(file, context);
  const cluster = buildCluster(file, instances, context);
  const directors = cluster?.directors.map(({ name }) => name) ?? [];
  const fencing = buildFencing(file, directors, context);
  const watchdog = buildWatchdog(file);
  const groups = buildGroups(file, instances, watchables, context);
  checkTakeover(file, groups, context);
  checkHeld(servers, instances, routing.statics, findings);
  return {
    global: { ...global, ...ownScripts(globalSection(file), context) },
    instances,
    ...routing,
    pacing: buildPacing(file, context),
    groups,
    scripts: buildScripts(file, context),
    files: buildFiles(file, context),
    processes: buildProcesses(file, context),
    bfd: buildBfd(file, context),
    ...(cluster === undefined ? {} : { cluster }),
    ...(fencing === undefined ? {} : { fencing }),
    ...(watchdog === undefined ? {} : { watchdog }),
    delays: buildDelays(file, context),
    notify: buildNotify(file, servers, context),
    virtualServers: servers.map(({ settings }) => settings),
    ...(syncDaemon === undefined ? {} : { syncDaemon: { ...syncDaemon, ...(relay && { relay }) } }),
  };
}
