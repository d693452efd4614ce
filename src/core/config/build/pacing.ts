import { type Duration, seconds } from '../../time.ts';
import type { PacingGroup, PacingSettings } from '../../vrrp/settings.ts';
import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import type { Section } from '../tree.ts';
import { type Context, Names } from './context.ts';
import { globalSection } from './global.ts';

const NONE: Duration = seconds(0);

/** `vrrp_garp_interval`, `vrrp_gna_interval`, and all `garp_group` blocks. An interface is in one at most. */
export function buildPacing(file: Section<typeof root>, { findings }: Context): PacingSettings {
  const global = globalSection(file);
  const names = new Names('the garp_group of', findings);
  const groups = file.all('garp_group').flatMap(({ section, keyword }): PacingGroup[] => {
    const single = section.last('interface');
    const written: { readonly value: string; readonly at: Token }[] = [
      ...(single === undefined ? [] : [{ value: single.values[0], at: single.words[0] ?? single.keyword }]),
      ...section.items('interfaces'),
    ];
    const interfaces = written.filter(({ value, at }) => names.add(value, at)).map(({ value }) => value);
    const [garp, gna] = [section.value('garp_interval'), section.value('gna_interval')];
    if (section.damaged) return [];
    if (written.length === 0)
      findings.error(keyword, 'garp_group has no interfaces', { hint: 'write interfaces { IF }' });
    if (garp === undefined && gna === undefined)
      findings.error(keyword, 'garp_group has no interval', { hint: 'write garp_interval or gna_interval' });
    return [{ interfaces, garp: garp ?? NONE, gna: gna ?? NONE }];
  });
  return {
    garp: global.value('vrrp_garp_interval') ?? NONE,
    gna: global.value('vrrp_gna_interval') ?? NONE,
    groups,
  };
}
