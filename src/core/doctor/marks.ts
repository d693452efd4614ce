import type { Configuration } from '../config/model.ts';
import type { DoctorFacts } from './facts.ts';
import type { Finding } from './finding.ts';

/** `meta mark set 0x00000007` of nft(8), `--set-mark 7` and `--set-xmark 0x7/0xffffffff` of iptables(8). */
const SETS = /(?:\bmark set (?:ct mark and )?|--set-x?mark[ =]|--or-mark[ =])(0x[\da-f]+|\d+)/gi;

/** The firewall marks that rules give to packets. */
export const marksSet = (rules: string): ReadonlySet<number> =>
  new Set(Array.from(rules.matchAll(SETS), ([, mark = '']) => Number(mark)));

/** A service of a mark gets nothing where no rule sets it. */
export function markFindings({ virtualServers }: Configuration, { rules }: DoctorFacts): Finding[] {
  if (rules === undefined) return [];
  const set = marksSet(rules);
  const wanted = new Map(
    virtualServers
      .flatMap(({ services }) => services)
      .flatMap(({ key }) => (key.kind === 'fwmark' ? [[key.mark, key.family] as const] : [])),
  );
  return [...wanted]
    .filter(([mark]) => !set.has(mark))
    .map(([mark, family]) => ({
      severity: 'error',
      subject: 'marks',
      message: `no rule gives packets the mark ${mark}: its virtual server gets none`,
      command:
        `${family === 6 ? 'ip6tables' : 'iptables'} -t mangle -A PREROUTING -d VIP -p tcp --dport PORT ` +
        `-j MARK --set-mark ${mark}`,
    }));
}
