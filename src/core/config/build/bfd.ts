import type { BfdSettings } from '../../bfd/settings.ts';
import { familyOf } from '../../ip.ts';
import { millis } from '../../time.ts';
import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import type { Entry, Section } from '../tree.ts';
import { type Context, Names } from './context.ts';

/** All `bfd_instance` blocks; names and neighbors are unique. */
export function buildBfd(file: Section<typeof root>, context: Context): BfdSettings[] {
  const { findings } = context;
  const names = new Names('bfd_instance', findings);
  const neighbors = new Map<string, Token>();
  return file.all('bfd_instance').flatMap((entry) => {
    const isNew = names.add(entry.values[0], entry.keyword);
    const settings = buildSession(entry, context);
    if (!isNew || settings === undefined) return [];
    const at = entry.section.token('neighbor_ip') ?? entry.keyword;
    const first = neighbors.get(settings.neighbor);
    neighbors.set(settings.neighbor, at);
    if (first === undefined) return [settings];
    const related = { what: 'the first is here', span: first };
    findings.error(at, `${settings.neighbor} is the neighbor of another bfd_instance`, { related });
    return [];
  });
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
  const [vrrp, checker] = [section.has('vrrp'), section.has('checker')];
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
    tells: vrrp === checker ? 'both' : vrrp ? 'vrrp' : 'checker',
  };
}
