import { type Family, familyOf, type Ip, ip } from '../../ip.ts';
import type { UnicastPeer, VrrpSettings } from '../../vrrp/settings.ts';
import type { globalDefs } from '../grammar/global.ts';
import type { vrrpInstance } from '../grammar/vrrp.ts';
import type { Section } from '../tree.ts';
import type { Context } from './context.ts';

type InstanceSection = Section<typeof vrrpInstance>;
type Sending = Pick<VrrpSettings, 'source' | 'destination' | 'peers' | 'unicastTtl' | 'checkPeers'>;

const GROUPS = { 4: ip('224.0.0.18'), 6: ip('ff02::12') } as const;

/** Where adverts come from and go to: peers, or else a multicast group. */
export function sendingOf(
  section: InstanceSection,
  global: Section<typeof globalDefs>,
  family: Family,
  context: Context,
): Sending {
  const source = sourceOf(section, family, context);
  const peers = peersOf(section, source, family, context);
  const from = source === undefined ? {} : { source };
  const destination = destinationOf(section, global, family, context);
  if (peers.length === 0) {
    complainOfNoPeers(section, context);
    return { ...from, ...(destination === undefined ? {} : { destination }) };
  }
  const unicastTtl = section.value('unicast_ttl');
  const checkPeers = section.value('check_unicast_src') ?? global.has('vrrp_check_unicast_src');
  return {
    ...from,
    ...(destination === undefined ? {} : { destination }),
    peers,
    ...(unicastTtl === undefined ? {} : { unicastTtl }),
    ...(checkPeers ? { checkPeers } : {}),
  };
}

function sourceOf(section: InstanceSection, family: Family, { findings }: Context): Ip | undefined {
  const unicast = section.has('unicast_peer') || !section.has('mcast_src_ip');
  const name = unicast && section.has('unicast_src_ip') ? 'unicast_src_ip' : 'mcast_src_ip';
  const source = section.value(name);
  const at = section.token(name);
  if (source !== undefined && at !== undefined && familyOf(source) !== family) {
    findings.warning(at, `${name} is no IPv${family} address: it has no effect`);
    return undefined;
  }
  return source;
}

function peersOf(
  section: InstanceSection,
  source: Ip | undefined,
  family: Family,
  { findings, facts }: Context,
): UnicastPeer[] {
  const seen = new Set<string>();
  return section.items('unicast_peer').flatMap(({ value, at }) => {
    const { address, min_ttl: minTtl, max_ttl: maxTtl } = value;
    if (familyOf(address) !== family) {
      const message = `the peer ${address} is no IPv${family} address, as the virtual addresses are: it is left out`;
      findings.warning(at, message);
      return [];
    }
    if (address === source || facts.isOwnAddress(address)) {
      findings.warning(at, `the peer ${address} is this host's own address: it is left out`);
      return [];
    }
    if (minTtl !== undefined && maxTtl !== undefined && minTtl > maxTtl) {
      findings.error(at, `no TTL is at least ${minTtl} and at most ${maxTtl}`);
    }
    if (seen.has(address)) {
      findings.warning(at, `the peer ${address} is there twice: the first counts`);
      return [];
    }
    seen.add(address);
    const limits = {
      ...(minTtl === undefined ? {} : { minTtl }),
      ...(maxTtl === undefined ? {} : { maxTtl }),
    };
    return [{ address, ...limits }];
  });
}

/** keepalived falls back to multicast, where nobody may listen. */
function complainOfNoPeers(section: InstanceSection, { findings }: Context): void {
  const list = section.token('unicast_peer');
  if (list !== undefined && section.items('unicast_peer').length > 0) {
    const hint = 'name the other directors';
    findings.error(list, "unicast_peer: there is no peer but this host's own address", { hint });
    return;
  }
  const words = ['unicast_peer', 'unicast_src_ip', 'unicast_ttl', 'check_unicast_src'] as const;
  const at = words.map((name) => section.token(name)).find((token) => token !== undefined);
  if (at === undefined || section.damaged) return;
  const message = `${at.text} without a peer: adverts are multicast, as in keepalived`;
  if (section.has('unicast_fault_no_peer')) findings.error(at, `${at.text}: there is no peer`);
  else findings.warning(at, message, { hint: 'write unicast_peer { ADDRESS }' });
}

/** The group, where it is not the RFC's. */
function destinationOf(
  section: InstanceSection,
  global: Section<typeof globalDefs>,
  family: Family,
  { findings }: Context,
): Ip | undefined {
  const own = section.value('mcast_dst_ip');
  const at = section.token('mcast_dst_ip');
  if (own !== undefined && at !== undefined && familyOf(own) !== family) {
    findings.error(at, `mcast_dst_ip is no IPv${family} address`);
  }
  const group = own ?? global.value(family === 4 ? 'vrrp_mcast_group4' : 'vrrp_mcast_group6');
  return group === GROUPS[family] ? undefined : group;
}
