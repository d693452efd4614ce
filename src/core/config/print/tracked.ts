import type { BfdSettings } from '../../bfd/settings.ts';
import { type Duration, toMillis } from '../../time.ts';
import type { ScriptSettings, TrackFileSettings, TrackProcessSettings } from '../../track/settings.ts';
import type { GroupSettings, PacingGroup } from '../../vrrp/settings.ts';
import { commandText, onOff, secondsText, section, setting, when, word } from './text.ts';
import { takeoverLines, trackLines } from './vrrp.ts';

/** The blocks that instances refer to by name. */

export function scriptBlock({ name, interval, timeout, rise, fall, ...who }: ScriptSettings): string[] {
  return section(`vrrp_script ${word(name)}`, [
    `script ${commandText(who)}`,
    `interval ${secondsText(interval)}`,
    `timeout ${secondsText(timeout)}`,
    `rise ${rise}`,
    `fall ${fall}`,
  ]);
}

export function fileBlock({ name, path, init }: TrackFileSettings): string[] {
  return section(`track_file ${word(name)}`, [
    `file ${word(path)}`,
    ...setting('init_file', init && `${init.value}${init.overwrite ? ' overwrite' : ''}`),
  ]);
}

export function processBlock(settings: TrackProcessSettings): string[] {
  const { name, command, parameters = [], match, quorum, quorumMax } = settings;
  return section(`vrrp_track_process ${word(name)}`, [
    `process ${[command, ...parameters].map(word).join(' ')}`,
    ...when(settings.parameters !== undefined, match === 'exact' ? 'param_match' : `param_match ${match}`),
    `quorum ${quorum}`,
    ...setting('quorum_max', quorumMax),
    ...when(settings.terminateDelay > 0, `terminate_delay ${secondsText(settings.terminateDelay)}`),
    ...when(settings.forkDelay > 0, `fork_delay ${secondsText(settings.forkDelay)}`),
    ...when(settings.fullCommand, 'full_command'),
  ]);
}

const milliseconds = (duration: Duration): string => String(toMillis(duration));

export function bfdBlock(session: BfdSettings): string[] {
  const { tells, maxHops = -1 } = session;
  return section(`bfd_instance ${word(session.name)}`, [
    ...setting('source_ip', session.source),
    `neighbor_ip ${session.neighbor}`,
    `min_rx ${milliseconds(session.minRx)}`,
    `min_tx ${milliseconds(session.minTx)}`,
    `idle_tx ${milliseconds(session.idleTx)}`,
    `multiplier ${session.multiplier}`,
    ...when(session.passive, 'passive'),
    `ttl ${session.ttl}`,
    `max_hops ${maxHops}`,
    `multihop ${onOff(session.multihop)}`,
    ...when(tells !== 'both', tells),
  ]);
}

/** `scripts` are its notify lines. */
export function groupBlock(group: GroupSettings, scripts: readonly string[]): string[] {
  return section(`vrrp_sync_group ${word(group.name)}`, [
    ...section('group', group.members.map(word)),
    ...trackLines(group.track),
    ...when(group.weights, 'sync_group_tracking_weight'),
    ...takeoverLines(group),
    ...scripts,
  ]);
}

/** A block of `garp_group`. */
export function pacingBlock({ interfaces, garp, gna }: PacingGroup): string[] {
  return section('garp_group', [
    ...when(garp > 0, `garp_interval ${secondsText(garp)}`),
    ...when(gna > 0, `gna_interval ${secondsText(gna)}`),
    ...section('interfaces', interfaces.map(word)),
  ]);
}
