import { isLinkLocal } from '../../ip.ts';
import { seconds } from '../../time.ts';
import type { VrrpSettings } from '../../vrrp/settings.ts';
import type { Findings } from '../findings.ts';
import type { globalDefs } from '../grammar/global.ts';
import type { root } from '../grammar/root.ts';
import type { vrrpInstance } from '../grammar/vrrp.ts';
import type { Entry, Section } from '../tree.ts';

type InstanceEntry = Entry<(typeof root)['vrrp_instance']>;
type InstanceSection = Section<typeof vrrpInstance>;
type Draft = { -readonly [K in keyof VrrpSettings]: VrrpSettings[K] };

/** keepalived's, and the RFC's. */
const DOWN_ADVERTS = 3;
const OWNER = 255;

/** `strict_mode`, else `vrrp_strict`. */
export const isStrict = (section: InstanceSection, global: Section<typeof globalDefs>): boolean =>
  section.value('strict_mode') ?? global.value('vrrp_strict') ?? false;

/**
 * What strict mode makes of a virtual router. As in keepalived (vrrp_complete_instance), what the RFC does not know is
 * left out or set right with a warning; only unicast and having no address are errors, with which keepalived ends.
 */
export function strictly(entry: InstanceEntry, settings: VrrpSettings, findings: Findings): VrrpSettings {
  const { section, keyword } = entry;
  const warn = (name: keyof typeof vrrpInstance & string, message: string): void =>
    findings.warning(section.token(name) ?? keyword, `strict mode: ${message}`);
  const draft: Draft = { ...settings };
  refuse(entry, settings, findings);
  const owner = settings.priority === OWNER;
  if ((settings.initial === 'MASTER') !== owner) {
    warn('state', 'an address owner (priority 255) begins as MASTER, and nobody else');
    draft.initial = owner ? 'MASTER' : 'BACKUP';
  }
  withoutAuthentication(draft, warn);
  const [first] = settings.addresses;
  if (settings.family === 6 && first !== undefined && !isLinkLocal(first.address.ip))
    warn('virtual_ipaddress', 'the first IPv6 address should be link-local (RFC 9568, 5.2.9)');
  if (settings.preemptDelay !== undefined) {
    warn('preempt_delay', 'preempt_delay has no effect');
    delete draft.preemptDelay;
  }
  if (settings.downAdverts !== DOWN_ADVERTS) {
    warn('down_timer_adverts', `down_timer_adverts is ${DOWN_ADVERTS}`);
    draft.downAdverts = DOWN_ADVERTS;
  }
  if (settings.transmitBase === true && section.has('use_vmac')) {
    warn('vmac_xmit_base', 'vmac_xmit_base has no effect');
    delete draft.transmitBase;
  }
  answers(section, draft, owner, warn);
  if (settings.noAccept !== true && !owner && (settings.version === 2 || !section.has('accept'))) {
    if (section.has('accept')) warn('accept', 'version 2 does not know accept: it has no effect');
    draft.noAccept = true;
  }
  return draft;
}

type Warn = (name: keyof typeof vrrpInstance & string, message: string) => void;

function refuse(
  { section, keyword, values }: InstanceEntry,
  settings: VrrpSettings,
  findings: Findings,
): void {
  if ((settings.peers ?? []).length > 0) {
    findings.error(section.token('unicast_peer') ?? keyword, 'strict mode: adverts are multicast', {
      hint: 'write strict_mode off in this instance, or leave the peers out',
    });
  }
  if (settings.addresses.length === 0 && !section.damaged) {
    const at = section.token('no_virtual_ipaddress') ?? keyword;
    findings.error(at, `strict mode: vrrp_instance ${values[0]} needs a virtual_ipaddress`);
  }
}

function withoutAuthentication(draft: Draft, warn: Warn): void {
  if (draft.password !== undefined || draft.ah !== undefined) {
    warn('authentication', 'there is no authentication: it has no effect');
    delete draft.password;
    delete draft.ah;
  }
  if (draft.hmac !== undefined && draft.hmac.mode !== 'enforce') {
    warn('auth_hmac', 'the mode of auth_hmac is enforce');
    draft.hmac = { ...draft.hmac, mode: 'enforce' };
  }
}

/** Nothing is announced or advertised again because another master was heard; an owner hears none. */
function answers(section: InstanceSection, draft: Draft, owner: boolean, warn: Warn): void {
  const repeat = section.value('garp_lower_prio_repeat') ?? 0;
  const delay = section.value('garp_lower_prio_delay') ?? 0;
  if (repeat > 0) warn('garp_lower_prio_repeat', 'garp_lower_prio_repeat is 0');
  if (delay > 0) warn('garp_lower_prio_delay', 'garp_lower_prio_delay is 0');
  draft.announce = { ...draft.announce, lowerRepeat: 0, lowerDelay: seconds(0) };
  if (section.value('lower_prio_no_advert') === false)
    warn('lower_prio_no_advert', 'lower_prio_no_advert is on');
  draft.quietToLower = true;
  if (section.value('higher_prio_send_advert') === true) {
    warn('higher_prio_send_advert', 'higher_prio_send_advert is off');
  }
  draft.answerHigher = false;
  if (!owner) return;
  if (section.value('owner_ignore_adverts') === false)
    warn('owner_ignore_adverts', 'an owner ignores adverts');
  draft.ownerIgnores = true;
}
