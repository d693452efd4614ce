import type { Destination } from '../balance/model.ts';
import { blockTitle, serverTitle } from '../balance/titles.ts';
import { BULK_PORT, type RelaySettings, SYNC_ALARM, type SyncDaemonSettings } from '../sync/settings.ts';
import type { LinkDelays } from '../vrrp/settings.ts';
import type { Configuration, GlobalSettings, Namespaces } from './model.ts';
import { tlsBlock } from './print/check.ts';
import { clusterBlocks, deviceBlocks, fencingLines } from './print/cluster.ts';
import { dumpLines, notifyGlobals, notifyLines, ownScriptLines, reloadLines } from './print/notify.ts';
import { placementLines } from './print/placement.ts';
import { masterLines, staticBlocks } from './print/routing.ts';
import { onOff, secondsText, section, setting, when, word } from './print/text.ts';
import { bfdBlock, fileBlock, groupBlock, pacingBlock, processBlock, scriptBlock } from './print/tracked.ts';
import { groupBlocks, serverLines, serviceHeader } from './print/virtual.ts';
import { instanceLines } from './print/vrrp.ts';

/**
 * A configuration as text in one canonical form: every setting written out, nothing inherited, defaults
 * included. Loading the text gives the same configuration.
 */
export function print(configuration: Configuration): string {
  const { instances, virtualServers, delays, notify, routing } = configuration;
  const blocks = [
    [`child_wait_time ${secondsText(configuration.global.stopGrace)}`],
    ...namespaceLines(configuration.global.namespaces),
    section('global_defs', globalLines(configuration)),
    ...relayBlock(configuration.syncDaemon?.relay),
    ...when(delays.length > 0, '').map(() => section('interface_up_down_delays', delays.map(delayText))),
    ...configuration.scripts.map(scriptBlock),
    ...configuration.files.map(fileBlock),
    ...configuration.processes.map(processBlock),
    ...configuration.bfd.map(bfdBlock),
    ...(configuration.cluster === undefined ? [] : clusterBlocks(configuration.cluster)),
    ...fencingBlock(configuration),
    ...(configuration.fencing === undefined ? [] : deviceBlocks(configuration.fencing)),
    ...configuration.pacing.groups.map(pacingBlock),
    ...staticBlocks(configuration.statics),
    ...configuration.groups.map((group) => groupBlock(group, notifyLines(notify, 'group', group.name))),
    ...instances.map((instance) =>
      section(`vrrp_instance ${word(instance.name)}`, [
        ...instanceLines(instance),
        ...masterLines(routing.find((own) => own.instance === instance.name)),
        ...notifyLines(notify, 'instance', instance.name),
      ]),
    ),
    ...[
      tlsBlock(virtualServers.flatMap(({ realServers }) => realServers.flatMap(({ checks }) => checks))),
    ].filter((lines) => lines.length > 0),
    ...groupBlocks(virtualServers),
    ...virtualServers.map((server) => {
      const title = blockTitle(server);
      const told = ({ address, port }: Destination) =>
        notifyLines(notify, 'server', serverTitle(address, port, server), title);
      const lines = [...serverLines(server, told), ...notifyLines(notify, 'service', title)];
      return section(serviceHeader(server), lines);
    }),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Nothing where all is as it is without the block. */
function fencingBlock({ fencing, watchdog, notify }: Configuration): string[][] {
  const told = notify.subjects.some(({ of }) => of === 'fencing') ? notifyLines(notify, 'fencing', '') : [];
  const fed = watchdog && `${word(watchdog.device)} ${secondsText(watchdog.timeout)}`;
  const silent = fencing === undefined ? [] : fencingLines(fencing);
  const lines = [...silent, ...setting('watchdog', fed), ...told];
  return lines.length === 0 ? [] : [section('fencing', lines)];
}

const namespaceLines = ({ own, ipvs }: Namespaces): string[][] => [
  ...setting('net_namespace', own === undefined ? undefined : word(own)).map((line) => [line]),
  ...(ipvs === undefined ? [] : [[ipvs === '' ? 'net_namespace_ipvs' : `net_namespace_ipvs ${word(ipvs)}`]]),
];

function globalLines({ global, syncDaemon: sync, notify, pacing }: Configuration): string[] {
  const { start, scriptUser, firewall } = global;
  return [
    ...setting('router_id', global.routerId === undefined ? undefined : word(global.routerId)),
    ...placementLines(global.placements),
    ...when(start.delay > 0, `vrrp_startup_delay ${secondsText(start.delay)}`),
    ...when(start.afterBoot > 0, `vrrp_delay_after_boot ${secondsText(start.afterBoot)}`),
    ...(scriptUser === undefined ? [] : [`script_user ${scriptUser.uid} ${scriptUser.gid}`]),
    ...when(global.scriptSecurity, 'enable_script_security'),
    ...ownScriptLines(global),
    ...dumpLines(global),
    ...reloadLines(global),
    ...setting('config_save_dir', global.saveFolder === undefined ? undefined : word(global.saveFolder)),
    ...notifyGlobals(notify),
    ...when(pacing.garp > 0, `vrrp_garp_interval ${secondsText(pacing.garp)}`),
    ...when(pacing.gna > 0, `vrrp_gna_interval ${secondsText(pacing.gna)}`),
    `nftables ${firewall.table}`,
    `nftables_priority ${firewall.priority}`,
    ...when(firewall.byIndex, 'nftables_ifindex'),
    ...when(firewall.counters, 'nftables_counters'),
    `nftables_lease ${onOff(global.leaseTables)}`,
    ...setting('vmac_addr_prefix', global.vmacPrefix === undefined ? undefined : word(global.vmacPrefix)),
    ...when(global.flush, 'lvs_flush'),
    ...when(global.dynamicInterfaces, 'dynamic_interfaces'),
    ...when(global.quietIgmp, 'disable_local_igmp'),
    ...when(global.logUnknownVrids, 'log_unknown_vrids'),
    ...when(global.flushOnStop, 'lvs_flush_on_stop'),
    ...timeoutsLine(global.timeouts),
    ...(global.lvsSysctls ?? []).map(({ name, value }) => `lvs_sysctl ${name} ${value}`),
    ...when(global.initNotifies, 'rs_init_notifies'),
    ...(sync === undefined ? [] : [syncLine(sync)]),
    ...setting(
      'lvs_bulk_port',
      sync === undefined || sync.bulkPort === BULK_PORT ? undefined : sync.bulkPort,
    ),
    ...setting('lvs_sync_alarm', sync === undefined || sync.alarm === SYNC_ALARM ? undefined : sync.alarm),
  ];
}

function timeoutsLine(timeouts: GlobalSettings['timeouts']): string[] {
  const words = Object.entries(timeouts ?? {}).map(([name, value]) => `${name} ${value}`);
  return when(timeouts !== undefined, ['lvs_timeouts', ...words].join(' '));
}

const delayText = ({ interface: device, down, up }: LinkDelays): string =>
  `${word(device)} ${secondsText(down)} ${secondsText(up)}`;

function syncLine(sync: SyncDaemonSettings): string {
  return [
    `lvs_sync_daemon ${word(sync.interface)}`,
    ...setting('inst', sync.instance === undefined ? undefined : word(sync.instance)),
    `id ${sync.id}`,
    ...setting('maxlen', sync.maxlen),
    ...setting('port', sync.port),
    ...setting('ttl', sync.ttl),
    ...setting('group', sync.group),
  ].join(' ');
}

function relayBlock(relay: RelaySettings | undefined): string[][] {
  if (relay === undefined) return [];
  const { keyFile, local, port, peers } = relay;
  const lines = [`key_file ${word(keyFile)}`, `local ${local} ${port}`];
  return [section('sync_relay', [...lines, ...peers.map((peer) => `peer ${peer.address} ${peer.port}`)])];
}
