import { defaultLease, filterTerm, longestSafeLease, shortestUsefulLease } from '../../fence/lease.ts';
import { type Family, familyOf } from '../../ip.ts';
import { centiseconds, type Duration, seconds, toCentiseconds, toSeconds } from '../../time.ts';
import { areConfused, distinction } from '../../vrrp/namesakes.ts';
import type { AnnounceSettings, VrrpSettings } from '../../vrrp/settings.ts';
import type { Findings } from '../findings.ts';
import type { globalDefs } from '../grammar/global.ts';
import type { root } from '../grammar/root.ts';
import type { vrrpInstance } from '../grammar/vrrp.ts';
import type { Entry, Section } from '../tree.ts';
import { type AddressLines, addressLines, mostAdvertised, UsedAddresses, virtualAddress } from './address.ts';
import { authenticationOf } from './authentication.ts';
import type { Context } from './context.ts';
import { globalSection } from './global.ts';
import { checkPriorities } from './priorities.ts';
import { isStrict, strictly } from './strict.ts';
import { takeoverOf } from './takeover.ts';
import type { Watchables } from './tracking.ts';
import { sendingOf } from './unicast.ts';
import { Vmacs } from './vmac.ts';

/** `preempt_after_sync` without a number, in seconds. */
const SYNC_AWAITED = 60;

type InstanceSection = Section<typeof vrrpInstance>;
type GlobalSection = Section<typeof globalDefs>;
type InstanceEntry = Entry<(typeof root)['vrrp_instance']>;

/** The most that 12 bits of centiseconds hold (RFC 9568, 5.2.7). */
const V3_LONGEST = centiseconds(4095);

/** A block, and what it means. */
interface Built {
  readonly entry: InstanceEntry;
  readonly settings: VrrpSettings;
  readonly lines: AddressLines;
}

/** All `vrrp_instance` blocks. Names are unique, and so is what a VRID means on an interface. */
export function buildInstances(
  file: Section<typeof root>,
  watchables: Watchables,
  context: Context,
): VrrpSettings[] {
  const { findings } = context;
  const global = globalSection(file);
  const used = new UsedAddresses(findings);
  const vmacs = new Vmacs(file, global, findings);
  const built: Built[] = [];
  for (const entry of file.all('vrrp_instance')) {
    const instance = buildInstance(entry, global, watchables, vmacs, context);
    if (instance === undefined) continue;
    const { lines } = instance;
    const settings = toldApart(entry, instance.settings, built, findings);
    used.add(settings, lines.advertised, lines.excluded);
    built.push({ entry, settings, lines });
  }
  return built.map(({ entry, settings, lines: { advertised, excluded } }) =>
    vmacs.placed(entry, settings, { addresses: advertised, excluded }),
  );
}

/** The settings, set apart from earlier ones of the same VRID; an error where their adverts would be confused. */
function toldApart(
  { section, keyword }: InstanceEntry,
  settings: VrrpSettings,
  before: readonly Built[],
  findings: Findings,
): VrrpSettings {
  const { interface: device, family, vrid } = settings;
  const namesakes = before.filter(
    ({ settings: s }) => s.interface === device && s.family === family && s.vrid === vrid,
  );
  const same = namesakes.find((other) => areConfused(other.settings, settings));
  if (same !== undefined) {
    const at = section.token('virtual_router_id') ?? keyword;
    const first = same.entry.section.token('virtual_router_id') ?? same.entry.keyword;
    const related = { what: 'the first is here', span: first };
    findings.error(at, `VRID ${vrid} is used twice on ${device} for IPv${family}`, { related });
  }
  return namesakes.length === 0 ? settings : { ...settings, apart: distinction(settings) };
}

function buildInstance(
  entry: InstanceEntry,
  global: GlobalSection,
  watchables: Watchables,
  vmacs: Vmacs,
  context: Context,
): { readonly settings: VrrpSettings; readonly lines: AddressLines } | undefined {
  const { findings } = context;
  const { section, keyword } = entry;
  const [name] = entry.values;
  checkNeeds(entry, findings);
  const family = familyOfInstance(entry, findings);
  const version = versionOf(entry, global, family, findings);
  const device = section.value('interface') ?? section.value('vrf');
  const vrid = section.value('virtual_router_id');
  const advertInterval = intervalOf(section, version, findings);
  if (device === undefined || vrid === undefined || advertInterval === undefined) return undefined;
  checkInterface(entry, device, global, context);
  const { priority, initial } = priorityOf(entry, findings);
  const downAdverts = section.value('down_timer_adverts') ?? global.value('vrrp_down_timer_adverts') ?? 3;
  const track = watchables.track(section, keyword);
  checkPriorities(entry, priority, track, findings);
  const preempt = preemptOf(section, initial, priority, findings);
  const sending = sendingOf(section, global, family, context);
  const seat = { interface: device, vrid, family };
  const ah = usesAh(section);
  const lines = addressLines(
    section,
    family,
    mostAdvertised(family, version, ah, context.facts.mtu(device)),
    findings,
  );
  const settings: VrrpSettings = {
    name,
    interface: device,
    family,
    version,
    vrid,
    priority,
    initial,
    advertInterval,
    preempt,
    ...preemptDelayOf(section, preempt, initial, priority, findings),
    ...preemptAfterSyncOf(section, preempt, priority, findings),
    ...vmacs.own(entry, seat, (sending.peers ?? []).length > 0),
    ...(section.has('no_accept') ? { noAccept: true } : {}),
    ...sending,
    addresses: lines.advertised.map((line) => virtualAddress(line, findings)),
    excluded: lines.excluded.map((line) => virtualAddress(line, findings)),
    ...authenticationOf(section, version, family, advertInterval, context),
    plainChecksum: section.value('v3_checksum_as_v2') ?? global.value('v3_checksum_as_v2') ?? false,
    downAdverts,
    quietToLower: section.value('lower_prio_no_advert') ?? global.value('vrrp_lower_prio_no_advert') ?? false,
    ...answersOf(section, global),
    ...(track.length === 0 ? {} : { track }),
    ...(section.has('dont_track_primary') ? { trackPrimary: false } : {}),
    ...(section.has('promote_secondaries') ? { promoteSecondaries: true } : {}),
    announce: announceOf(section, global),
    ...leaseOf(entry, advertInterval, downAdverts, findings),
    ...takeoverOf(section),
  };
  return { settings: isStrict(section, global) ? strictly(entry, settings, findings) : settings, lines };
}

/** keepalived does not start then, unless `dynamic_interfaces` is said; here a virtual router waits for it. */
function checkInterface(
  { section, keyword, values }: InstanceEntry,
  device: string,
  global: GlobalSection,
  { facts, findings }: Context,
): void {
  if (global.has('dynamic_interfaces') || facts.hasInterface(device)) return;
  const at = (section.last('interface') ?? section.last('vrf'))?.words[0] ?? keyword;
  findings.warning(at, `there is no interface ${device} yet: ${values[0]} waits for it`, {
    hint: 'write dynamic_interfaces in global_defs when it comes later',
  });
}

function checkNeeds({ section, keyword, values }: InstanceEntry, findings: Findings): void {
  if (section.damaged) return;
  const [name] = values;
  if (!section.has('interface') && !section.has('vrf')) {
    findings.error(keyword, `vrrp_instance ${name} has no interface`);
  }
  if (!section.has('virtual_router_id')) {
    findings.error(keyword, `vrrp_instance ${name} has no virtual_router_id`);
  }
}

/** The family of the VIPs. They are of one family: an advert has one kind of address. */
function familyOfInstance({ section, keyword, values }: InstanceEntry, findings: Findings): Family {
  const items = section.items('virtual_ipaddress');
  const [first] = items;
  if (first === undefined) {
    if (!section.damaged && !section.has('no_virtual_ipaddress')) {
      findings.warning(keyword, `vrrp_instance ${values[0]} has no virtual_ipaddress`, {
        hint: 'write no_virtual_ipaddress when that is meant',
      });
    }
    return section.has('native_ipv6') ? 6 : 4;
  }
  const family = familyOf(first.value.prefix.ip);
  const native = section.token('native_ipv6');
  if (native !== undefined && family === 4) {
    findings.warning(native, 'native_ipv6 has no effect: the virtual addresses are IPv4');
  }
  for (const other of items.filter((item) => familyOf(item.value.prefix.ip) !== family)) {
    findings.warning(other.at, `an advert has one family, here IPv${family}: this address is left out`, {
      hint: 'put the others into virtual_ipaddress_excluded, or make a second instance',
    });
  }
  return family;
}

/** IPv6 is version 3 always, as in keepalived. */
function versionOf(
  { section, keyword }: InstanceEntry,
  global: GlobalSection,
  family: Family,
  findings: Findings,
): 2 | 3 {
  const own = section.value('version');
  if (family === 6) {
    if (own === 2)
      findings.warning(section.token('version') ?? keyword, 'IPv6 has no version 2: version 3 is used');
    return 3;
  }
  return (own ?? global.value('vrrp_version') ?? 2) === 3 ? 3 : 2;
}

/** Version 2 sends whole seconds, version 3 centiseconds up to 40.95 s. keepalived rounds too. */
function intervalOf(section: InstanceSection, version: 2 | 3, findings: Findings): Duration | undefined {
  if (!section.has('advert_int')) return seconds(1);
  const interval = section.value('advert_int');
  const at = section.last('advert_int')?.words[0];
  if (interval === undefined || at === undefined) return undefined;
  if (version === 3 && interval > V3_LONGEST) {
    findings.warning(at, 'advert_int: version 3 has at most 40.95 seconds: that is used');
    return V3_LONGEST;
  }
  const rounded =
    version === 2
      ? seconds(Math.max(1, Math.round(toSeconds(interval))))
      : centiseconds(Math.max(1, toCentiseconds(interval)));
  if (rounded !== interval) {
    const unit = version === 2 ? 'whole seconds: use version 3 for less' : 'hundredths of a second';
    findings.warning(at, `advert_int: version ${version} has ${unit}; ${toSeconds(rounded)} is used`);
  }
  return rounded;
}

/** `state MASTER` without a priority means 255, the address owner: keepalived's meaning, and a trap. */
function priorityOf(
  { section, keyword }: InstanceEntry,
  findings: Findings,
): { priority: number; initial: 'MASTER' | 'BACKUP' } {
  const state = section.value('state');
  const written = section.value('priority');
  const priority = written ?? (state === 'MASTER' ? 255 : 100);
  if (state === 'MASTER' && !section.has('priority')) {
    findings.warning(
      section.token('state') ?? keyword,
      'state MASTER without priority means 255, the address owner',
      {
        hint: 'write a priority, such as 150',
      },
    );
  }
  if (state === 'MASTER' && priority < 255 && usesAh(section)) {
    // It has to hear an advert first, to learn the sequence number; keepalived has it so.
    findings.warning(section.token('state') ?? keyword, 'with auth_type AH it begins as BACKUP');
    return { priority, initial: 'BACKUP' };
  }
  return { priority, initial: state ?? (priority === 255 ? 'MASTER' : 'BACKUP') };
}

const usesAh = (section: InstanceSection): boolean =>
  section.last('authentication')?.section.value('auth_type') === 'AH';

/** `nopreempt` is dropped for an instance that begins as master, as in keepalived. */
function preemptOf(
  section: InstanceSection,
  initial: 'MASTER' | 'BACKUP',
  priority: number,
  findings: Findings,
): boolean {
  const nopreempt = section.token('nopreempt');
  if (nopreempt === undefined) return true;
  if (initial === 'BACKUP' && priority < 255) return false;
  findings.warning(nopreempt, 'nopreempt has no effect with state MASTER or priority 255', {
    hint: 'write state BACKUP on both directors',
  });
  return true;
}

/** `preempt_delay`; like `nopreempt` it is dropped for an instance that begins as master. */
function preemptDelayOf(
  section: InstanceSection,
  preempt: boolean,
  initial: 'MASTER' | 'BACKUP',
  priority: number,
  findings: Findings,
): Pick<VrrpSettings, 'preemptDelay'> {
  const preemptDelay = section.value('preempt_delay');
  const at = section.token('preempt_delay');
  if (preemptDelay === undefined || at === undefined || preemptDelay === 0) return {};
  if (preempt && initial === 'BACKUP' && priority < 255) return { preemptDelay };
  const why = preempt ? 'state MASTER or priority 255' : 'nopreempt';
  findings.warning(at, `preempt_delay has no effect with ${why}`);
  return {};
}

/** `preempt_after_sync`; of an instance that begins as master too, as it follows a lesser one all the same. */
function preemptAfterSyncOf(
  section: InstanceSection,
  preempt: boolean,
  priority: number,
  findings: Findings,
): Pick<VrrpSettings, 'preemptAfterSync'> {
  const written = section.last('preempt_after_sync');
  if (written === undefined) return {};
  if (preempt && priority < 255) return { preemptAfterSync: seconds(written.values[0] ?? SYNC_AWAITED) };
  const why = preempt ? 'priority 255' : 'nopreempt';
  findings.warning(written.keyword, `preempt_after_sync has no effect with ${why}`);
  return {};
}

/** What a master says to others, where it is written. */
function answersOf(
  section: InstanceSection,
  global: GlobalSection,
): Pick<VrrpSettings, 'answerHigher' | 'ownerIgnores' | 'skipAddressCheck'> {
  const answer = section.value('higher_prio_send_advert') ?? global.value('vrrp_higher_prio_send_advert');
  const skips = section.value('skip_check_adv_addr') ?? global.value('vrrp_skip_check_adv_addr') ?? false;
  const ignores = section.value('owner_ignore_adverts') ?? global.value('vrrp_owner_ignore_adverts');
  return {
    ...(answer === undefined ? {} : { answerHigher: answer }),
    ...(ignores === undefined ? {} : { ownerIgnores: ignores }),
    ...(skips ? { skipAddressCheck: true } : {}),
  };
}

/**
 * The instance's own, else the global ones; `vrrp_min_garp` changes what nobody has set. After a lesser master was
 * heard the global values count, not the instance's own of the first burst, where nothing is said (vrrp/vrrp.c).
 */
function announceOf(section: InstanceSection, global: GlobalSection): AnnounceSettings {
  const least = global.value('vrrp_min_garp') ?? false;
  const commonRepeat = global.value('vrrp_garp_master_repeat') ?? (least ? 1 : 5);
  const commonDelay = global.value('vrrp_garp_master_delay') ?? seconds(least ? 0 : 5);
  const repeat = Math.max(1, section.value('garp_master_repeat') ?? commonRepeat);
  const delay = section.value('garp_master_delay') ?? commonDelay;
  const again =
    section.value('garp_master_refresh_repeat') ?? global.value('vrrp_garp_master_refresh_repeat') ?? 1;
  const lowerRepeat =
    section.value('garp_lower_prio_repeat') ??
    global.value('vrrp_garp_lower_prio_repeat') ??
    Math.max(1, commonRepeat);
  const lowerDelay =
    section.value('garp_lower_prio_delay') ?? global.value('vrrp_garp_lower_prio_delay') ?? commonDelay;
  const extra = section.value('garp_extra_if') ?? global.value('vrrp_garp_extra_if');
  return {
    repeat,
    delay,
    refresh: section.value('garp_master_refresh') ?? global.value('vrrp_garp_master_refresh') ?? seconds(0),
    refreshRepeat: Math.max(1, again),
    ...(extra === undefined || extra.period === 0 ? {} : { elsewhere: extra }),
    ...(lowerRepeat === repeat ? {} : { lowerRepeat }),
    ...(lowerDelay === delay ? {} : { lowerDelay }),
  };
}

/**
 * `vip_lease`. One that ends after the peer took over does not help, and is a warning; one that runs out
 * between two adverts would take the address from a healthy master, and is an error.
 */
function leaseOf(
  { section, keyword }: InstanceEntry,
  interval: Duration,
  downAdverts: number,
  findings: Findings,
): Pick<VrrpSettings, 'lease' | 'term'> {
  const written = section.value('vip_lease');
  if (written === 'off') return { lease: seconds(0) };
  if (written === undefined)
    return { lease: defaultLease(interval, downAdverts), term: filterTerm(interval, downAdverts) };
  const lease = seconds(written);
  const at = section.last('vip_lease')?.words[0] ?? keyword;
  const shortest = shortestUsefulLease(interval);
  const longest = longestSafeLease(interval, downAdverts);
  if (lease < shortest) {
    findings.error(
      at,
      `vip_lease: adverts every ${toSeconds(interval)} s cannot keep so short a lease alive`,
      {
        hint: `write at least ${toSeconds(shortest)}, or off`,
      },
    );
  } else if (lease > longest) {
    findings.warning(at, 'vip_lease: the peer may take over before this lease ends', {
      hint:
        longest < shortest ? 'advert_int is too short for any lease' : `write at most ${toSeconds(longest)}`,
    });
  }
  return { lease, term: filterTerm(interval, downAdverts, lease) };
}
