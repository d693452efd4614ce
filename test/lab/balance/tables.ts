import { keepalived, vipkeeper } from '../scene/director.ts';
import type { Host } from '../scene/host.ts';
import type { Link } from '../scene/link.ts';
import type { Program } from '../scene/program.ts';
import type { Scene } from '../scene/scene.ts';

/** A director's IPVS table: what `ipvsadm -S` says, with the thresholds that it leaves out, sorted. */
export function tableOf(host: Host): string[] {
  const rules = host.run('ipvsadm', '-Sn').split('\n').map(tidy).filter(Boolean);
  return [...rules, ...thresholdsOf(host)].sort();
}

const tidy = (line: string): string => line.trim().replace(/ +/g, ' ');

/** `thresholds SERVICE SERVER UPPER LOWER` of those that have any. */
function thresholdsOf(host: Host): string[] {
  let service = '';
  return host
    .run('ipvsadm', '-Ln', '--thresholds')
    .split('\n')
    .flatMap((line) => {
      const words = tidy(line).split(' ');
      if (/^(TCP|UDP|SCTP|FWM)$/.test(words[0] ?? '')) service = words.slice(0, 2).join(' ');
      if (words[0] !== '->' || !/^\d+$/.test(words[2] ?? '')) return [];
      const [, server, upper, lower] = words;
      return upper === '0' && lower === '0' ? [] : [`thresholds ${service} ${server} ${upper} ${lower}`];
    });
}

/** Two directors with the same configuration, one of each daemon. */
export interface Pair {
  readonly theirs: Host;
  readonly ours: Host;
}

/** Two directors on one link. */
export function directors(scene: Scene, link: Link): Pair {
  const host = (name: string, n: number): Host =>
    scene.host(name).on(link, `192.168.1.${n}/24`, `fd01::${n}/64`);
  return { theirs: host('theirs', 1), ours: host('ours', 2) };
}

/** Starts both daemons; `text` is the same for both but for the files of the host that it names. */
export function startBoth(
  { theirs, ours }: Pair,
  text: (host: Host) => string,
): { readonly keepalived: Program; readonly vipkeeper: Program } {
  return { keepalived: keepalived(theirs, text(theirs)), vipkeeper: vipkeeper(ours, text(ours)) };
}

/** What is in one table and not in the other; `-` is keepalived's. */
export function differences({ theirs, ours }: Pair): string[] {
  const [a, b] = [tableOf(theirs), tableOf(ours)];
  return [
    ...a.filter((line) => !b.includes(line)).map((line) => `- ${line}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `+ ${line}`),
  ];
}

/** Waits until keepalived's table has all of `lines` and none of `without`, and ours is the same. */
export async function bothHold(
  scene: Scene,
  pair: Pair,
  what: string,
  condition: (table: readonly string[]) => boolean,
): Promise<void> {
  await scene.until(`${what}: keepalived`, () => condition(tableOf(pair.theirs)));
  let left: string[] = [];
  await scene
    .until(`${what}: the same in vipkeeper`, () => {
      left = differences(pair);
      return left.length === 0;
    })
    .catch((error: Error) => {
      throw new Error(
        `${what}: the tables differ (- keepalived, + vipkeeper)\n${left.join('\n')}\n${error.message}`,
      );
    });
}
