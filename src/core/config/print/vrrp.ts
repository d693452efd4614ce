import { formatPrefix } from '../../ip.ts';
import type {
  AnnounceSettings,
  HmacSettings,
  TakeoverSettings,
  TrackSettings,
  UnicastPeer,
  VirtualAddress,
  VrrpSettings,
} from '../../vrrp/settings.ts';
import { TRACK_KINDS } from '../../vrrp/settings.ts';
import { onOff, secondsText, section, sectionIfAny, setting, when, word } from './text.ts';

/** What stands in the block of a `vrrp_instance`. */
export function instanceLines(instance: VrrpSettings): string[] {
  const { addresses, excluded, family, announce } = instance;
  return [
    `state ${instance.initial}`,
    `interface ${word(instance.interface)}`,
    ...virtualLines(instance),
    `virtual_router_id ${instance.vrid}`,
    `priority ${instance.priority}`,
    `version ${instance.version}`,
    `advert_int ${secondsText(instance.advertInterval)}`,
    instance.preempt ? 'preempt' : 'nopreempt',
    ...setting('preempt_after_sync', instance.preemptAfterSync && secondsText(instance.preemptAfterSync)),
    ...setting('preempt_delay', instance.preemptDelay && secondsText(instance.preemptDelay)),
    ...setting('higher_prio_send_advert', given(instance.answerHigher)),
    ...setting('owner_ignore_adverts', given(instance.ownerIgnores)),
    ...when(instance.skipAddressCheck === true, 'skip_check_adv_addr'),
    ...when(instance.trackPrimary === false, 'dont_track_primary'),
    ...when(instance.promoteSecondaries === true, 'promote_secondaries'),
    ...when(instance.noAccept === true, 'no_accept'),
    ...sendingLines(instance),
    `v3_checksum_as_v2 ${onOff(instance.plainChecksum)}`,
    `down_timer_adverts ${instance.downAdverts}`,
    `lower_prio_no_advert ${onOff(instance.quietToLower)}`,
    `garp_master_repeat ${announce.repeat}`,
    `garp_master_delay ${secondsText(announce.delay)}`,
    `garp_master_refresh ${secondsText(announce.refresh)}`,
    `garp_master_refresh_repeat ${announce.refreshRepeat}`,
    ...extraLine(announce),
    `garp_lower_prio_repeat ${announce.lowerRepeat ?? announce.repeat}`,
    `garp_lower_prio_delay ${secondsText(announce.lowerDelay ?? announce.delay)}`,
    ...takeoverLines(instance),
    ...leaseLine(instance),
    ...authenticationLines(instance),
    ...trackLines(instance.track ?? []),
    ...when(addresses.length === 0, 'no_virtual_ipaddress'),
    ...when(addresses.length === 0 && family === 6, 'native_ipv6'),
    ...sectionIfAny('virtual_ipaddress', addresses.map(addressText)),
    ...sectionIfAny('virtual_ipaddress_excluded', excluded.map(addressText)),
  ];
}

/** Nothing where the interval is too short for a lifetime, and only the packet filter's lease is there. */
const leaseLine = ({ lease, term }: VrrpSettings): string[] => {
  if (term === undefined) return ['vip_lease off'];
  return lease === 0 ? [] : [`vip_lease ${secondsText(lease)}`];
};

const extraLine = ({ elsewhere }: AnnounceSettings): string[] =>
  elsewhere === undefined
    ? []
    : [`garp_extra_if ${elsewhere.all ? 'all ' : ''}${secondsText(elsewhere.period)}`];

/** The lines of a virtual router or sync group about taking over. */
export const takeoverLines = ({ onFenceFailure, takeoverPolicy }: TakeoverSettings): string[] => [
  ...setting('on_fence_failure', onFenceFailure),
  ...setting('takeover_policy', takeoverPolicy),
];

/** Its own interface; one line. */
function virtualLines({ virtual, transmitBase }: VrrpSettings): string[] {
  if (virtual === undefined) return [];
  const { name, sort, address, group } = virtual;
  const words = sort.kind === 'macvlan' ? ['use_vmac', `name ${word(name)}`, sort.mac] : [];
  if (sort.kind === 'ipvlan') {
    words.push('use_ipvlan', `name ${word(name)}`, ...(address ? [formatPrefix(address)] : []), sort.mode);
  }
  return [[...words, ...setting('group', group)].join(' '), ...when(transmitBase === true, 'vmac_xmit_base')];
}

const given = (value: boolean | undefined): string | undefined =>
  value === undefined ? undefined : onOff(value);

function sendingLines({ source, destination, peers = [], unicastTtl, checkPeers }: VrrpSettings): string[] {
  return [
    ...setting(peers.length > 0 ? 'unicast_src_ip' : 'mcast_src_ip', source),
    ...setting('mcast_dst_ip', destination),
    ...sectionIfAny('unicast_peer', peers.map(peerText)),
    ...setting('unicast_ttl', unicastTtl),
    ...setting('check_unicast_src', given(checkPeers)),
  ];
}

const peerText = ({ address, minTtl, maxTtl }: UnicastPeer): string =>
  [address, ...setting('min_ttl', minTtl), ...setting('max_ttl', maxTtl)].join(' ');

function authenticationLines({ password, ah, hmac }: VrrpSettings): string[] {
  const pass = password ?? ah;
  return [
    ...(pass === undefined
      ? []
      : section('authentication', [
          `auth_type ${ah === undefined ? 'PASS' : 'AH'}`,
          `auth_pass ${word(pass)}`,
        ])),
    ...(hmac === undefined ? [] : section('auth_hmac', hmacLines(hmac))),
  ];
}

const hmacLines = ({ keys, activeKey, mode, antiReplay, window }: HmacSettings): string[] => [
  ...keys.map(({ id, secret }) => `key ${id} hex:${secret}`),
  `active_key ${activeKey}`,
  `mode ${mode}`,
  `anti_replay ${antiReplay}`,
  `time_window ${secondsText(window)}`,
];

/** A group's name may need quotes. */
const headerWords = (name: string): string =>
  name.startsWith('group ') ? `group ${word(name.slice('group '.length))}` : name;

/** The lists of trackers, with every weight written out. */
export function trackLines(track: readonly TrackSettings[]): string[] {
  return TRACK_KINDS.flatMap((kind) => {
    const ofKind = track.filter((tracked) => tracked.kind === kind);
    const lines = ofKind.map(
      ({ name, weight, reverse }) =>
        `${kind === 'quorum' ? headerWords(name) : word(name)} weight ${weight} ${reverse ? 'reverse' : 'noreverse'}`,
    );
    return sectionIfAny(`track_${kind}`, lines);
  });
}

export function addressText(line: VirtualAddress): string {
  const { address, peer, dev, label, broadcast, scope, vmac, flags = [] } = line;
  return [
    ...(peer === undefined
      ? [formatPrefix(address)]
      : [address.ip, 'peer', formatPrefix({ ip: peer, length: address.length })]),
    ...setting('dev', dev === undefined ? undefined : word(dev)),
    ...setting('label', label === undefined ? undefined : word(label)),
    ...setting('broadcast', broadcast),
    ...when(scope !== 0, `scope ${scope}`),
    ...when(vmac !== undefined, 'use_vmac'),
    ...flags,
    ...setting('preferred_lft', line.preferred),
    ...when(line.tracked === false, 'no_track'),
  ].join(' ');
}
