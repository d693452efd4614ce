import type { BfdSettings } from '../../bfd/settings.ts';
import { familyOf } from '../../ip.ts';
import { millis } from '../../time.ts';
import type { Findings } from '../findings.ts';
import type { bfdInstance } from '../grammar/bfd.ts';
import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import type { Entry, Section } from '../tree.ts';
import { type Context, Names } from './context.ts';

/** All `bfd_instance` blocks; names are unique, and no two would take each other's packets. */
export function buildBfd(file: Section<typeof root>, context: Context): BfdSettings[] {
  const { findings } = context;
  const names = new Names('bfd_instance', findings);
  const known: { readonly settings: BfdSettings; readonly span: Token }[] = [];
  return file.all('bfd_instance').flatMap((entry) => {
    const isNew = names.add(entry.values[0], entry.keyword);
    const settings = buildSession(entry, context);
    if (!isNew || settings === undefined) return [];
    const span = entry.section.token('neighbor_ip') ?? entry.keyword;
    warnOfHops(entry, settings, findings);
    const first = known.find((other) => isAlike(other.settings, settings));
    known.push({ settings, span });
    if (first === undefined) return [settings];
    const related = { what: 'the first is here', span: first.span };
    findings.error(span, `${settings.neighbor} is the neighbor of another bfd_instance`, { related });
    return [];
  });
}

/** Who is told of a session: everybody, unless it says who. */
export function audienceOf(section: Section<typeof bfdInstance>): BfdSettings['tells'] {
  const [vrrp, checker] = [section.has('vrrp'), section.has('checker')];
  return vrrp === checker ? 'both' : vrrp ? 'vrrp' : 'checker';
}

/** Whether a first packet from the neighbor could be for both: then it is not clear whose it is. */
const isAlike = (a: BfdSettings, b: BfdSettings): boolean =>
  a.neighbor === b.neighbor &&
  a.multihop === b.multihop &&
  (a.source === undefined || b.source === undefined || a.source === b.source);

/** Where keepalived's defaults make a session that does not come up. */
function warnOfHops(
  { section, keyword }: Entry<(typeof root)['bfd_instance']>,
  { name, neighbor, multihop, maxHops }: BfdSettings,
  findings: Findings,
): void {
  if (!multihop && familyOf(neighbor) === 6 && !section.has('ttl')) {
    findings.warning(
      keyword,
      `bfd_instance ${name} sends with hop limit 64, keepalived's default for IPv6: all but keepalived drop it`,
      { hint: 'write hoplimit 255 at both ends (RFC 5881, 5)' },
    );
  }
  if (multihop && maxHops === 0 && !section.has('max_hops')) {
    findings.warning(keyword, `bfd_instance ${name} is multihop, but takes only packets that took no hop`, {
      hint: 'write max_hops and the number of routers between, or -1',
    });
  }
}

function buildSession(
  { section, keyword, values }: Entry<(typeof root)['bfd_instance']>,
  { findings, facts }: Context,
): BfdSettings | undefined {
  const [name] = values;
  const neighbor = section.value('neighbor_ip');
  if (neighbor === undefined) {
    if (!section.has('neighbor_ip') && !section.damaged)
      findings.error(keyword, `bfd_instance ${name} has no neighbor_ip`);
    return undefined;
  }
  const source = section.value('source_ip');
  const family = familyOf(neighbor);
  if (source !== undefined && familyOf(source) !== family) {
    findings.error(section.token('source_ip') ?? keyword, `source_ip is no IPv${family} address`);
  }
  if (source === neighbor || facts.isOwnAddress(neighbor)) {
    findings.error(section.token('neighbor_ip') ?? keyword, `${neighbor} is this host's own address`);
  }
  const hops = section.value('max_hops') ?? 0;
  return {
    name,
    ...(source === undefined ? {} : { source }),
    neighbor,
    minRx: section.value('min_rx') ?? millis(10),
    minTx: section.value('min_tx') ?? millis(10),
    idleTx: section.value('idle_tx') ?? millis(1000),
    multiplier: section.value('multiplier') ?? 5,
    passive: section.has('passive'),
    ttl: section.value('ttl') ?? (family === 4 ? 255 : 64),
    ...(hops === -1 || hops === 255 ? {} : { maxHops: hops }),
    multihop: section.value('multihop') ?? false,
    tells: audienceOf(section),
  };
}
