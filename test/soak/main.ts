import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Prng } from '../../src/core/prng.ts';
import { shownOnFailure } from '../failure.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { AddressWatch } from '../lab/scene/address-watch.ts';
import { pause, Scene } from '../lab/scene/scene.ts';
import { type Sample, SoakDirector, VIP } from './director.ts';
import { FAULTS, type FaultKind } from './faults.ts';
import { byCause, type Fault, stretches } from './holders.ts';

/**
 * `npm run soak [-- --minutes 25] [--seed 1]`: a pair of directors on this machine's own kernel, with adverts of
 * 100 ms, and faults at random, the same for the same seed. The kernel's own news of addresses say who had the VIP.
 * Ends with status 1 when a daemon dies that nobody ended, or grows, or the pair does not heal.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '25' }, seed: { type: 'string', default: '1' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);

/** From the end of a fault to the next. */
const CALM_MS = [1000, 6000] as const;
/** How long the pair may take to one holder again. */
const HEALED_MS = 30_000;
const SAMPLE_MS = 10_000;
/** A process counts that has lived for so long; what it needs at first is no growth. */
const SETTLED_MS = 60_000;
/** More than Node's own ups and downs. */
const GROWTH_KB = 25_000;
const GROWTH_DESCRIPTORS = 4;

await enclose();
const scene = new Scene();
const lan = scene.link('lan');
const checks = existsSync('/proc/net/ip_vs');
console.log(
  `${minutes} minutes, seed ${seed}, ${checks ? 'with checks' : 'without checks: this kernel has no IPVS'}`,
);
// The one that is killed has the higher priority: it is master again and again. The other lives all the time.
const killed = new SoakDirector(scene.host('killed').on(lan, '10.0.0.1/24'), {
  priority: 150,
  second: false,
  checks,
});
const lasting = new SoakDirector(scene.host('lasting').on(lan, '10.0.0.2/24'), {
  priority: 100,
  second: false,
  checks,
});
const directors = [killed, lasting];
const complaints: string[] = [];
const faults: Fault[] = [];
const random = new Prng(seed);

function nextFault(): [FaultKind, SoakDirector] {
  const drawn: FaultKind[] = FAULTS.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
  const kind = random.pick(drawn);
  return [kind, kind.deadly === true ? killed : random.pick(directors)];
}

const holders = (): string[] => directors.filter(({ host }) => host.has(VIP)).map(({ host }) => host.name);

/** One has the address, and both daemons answer. */
async function healed(after: string): Promise<void> {
  const limit = Date.now() + HEALED_MS;
  for (;;) {
    const answers = await Promise.all(directors.map((director) => director.status()));
    if (holders().length === 1 && answers.every((each) => each !== undefined)) return;
    if (Date.now() > limit) {
      complaints.push(`not healed within ${HEALED_MS / 1000} s after ${after}: held by [${holders()}]`);
      return;
    }
    await pause(100);
  }
}

async function soak(): Promise<number> {
  for (const director of directors) director.start();
  const watch = await AddressWatch.start(
    scene,
    directors.map(({ host }) => host),
  );
  await healed('the start');
  const vrrp = lasting.pidOf('vrrp');
  const sampling = setInterval(() => {
    for (const director of directors) director.sample(Date.now());
  }, SAMPLE_MS);
  const begun = Date.now();
  while (Date.now() - begun < minutes * 60_000) {
    const [kind, director] = nextFault();
    const name = `${kind.name} (${director.host.name})`;
    faults.push({ at: Date.now(), name: kind.name });
    await kind.act(director, random, lan);
    await healed(name);
    await pause(random.between(...CALM_MS));
    for (const each of directors)
      complaints.push(...each.complaints.splice(0).map((text) => `${name}: ${text}`));
  }
  clearInterval(sampling);
  const ended = Date.now();
  const status = await lasting.status();
  if (lasting.pidOf('vrrp') !== vrrp || status?.processes.some(({ restarts }) => restarts > 0))
    complaints.push('a process of the lasting director was started again, and nobody had ended one');
  for (const director of directors) complaints.push(...director.defects);
  complaints.push(
    ...directors.flatMap(({ host, samples }) => growth(samples).map((text) => `${host.name}: ${text}`)),
  );
  report(watch, begun, ended);
  for (const director of directors) await director.end('SIGTERM', false);
  for (const director of directors) {
    complaints.push(...director.complaints);
    if (director.host.has(VIP)) complaints.push(`${director.host.name} has the VIP after its end`);
    if (director.host.processes().length > 0) complaints.push(`${director.host.name} has left processes`);
  }
  return complaints.length;
}

/** Processes that need more at their end than when they had settled. */
function growth(samples: readonly Sample[]): string[] {
  const pids = new Set(samples.map(({ pid }) => pid));
  return [...pids].flatMap((pid) => {
    const all = samples.filter((sample) => sample.pid === pid);
    const settled = all.filter(({ at }) => at - (all[0]?.at ?? 0) >= SETTLED_MS);
    const [first, last] = [settled[0], settled.at(-1)];
    if (first === undefined || last === undefined || first === last) return [];
    // What it needs least lately is what it can't give back.
    const late = settled.slice(-6);
    const rss = Math.min(...late.map(({ rssKb }) => rssKb)) - first.rssKb;
    const descriptors = Math.min(...late.map((sample) => sample.descriptors)) - first.descriptors;
    const minutesLong = ((last.at - first.at) / 60_000).toFixed(1);
    console.log(
      `  ${first.name} ${pid}: in ${minutesLong} minutes from ${first.rssKb} to ${last.rssKb} KiB, ` +
        `from ${first.descriptors} to ${last.descriptors} descriptors`,
    );
    return [
      ...(rss > GROWTH_KB ? [`${first.name} grew by ${rss} KiB`] : []),
      ...(descriptors > GROWTH_DESCRIPTORS ? [`${first.name} has ${descriptors} descriptors more`] : []),
    ];
  });
}

function report(watch: AddressWatch, begun: number, ended: number): void {
  const moments = watch.moments.filter(({ address }) => address === VIP);
  const rows = byCause(stretches(moments, faults, begun, ended), faults);
  const header = ['cause', 'faults', 'nobody', 'seconds', 'longest', 'two', 'seconds', 'longest'];
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  console.log(
    `\n${faults.length} faults in ${((ended - begun) / 60_000).toFixed(1)} minutes; who had ${VIP}:`,
  );
  for (const row of table) {
    console.log(
      `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`,
    );
  }
}

let status = 1;
try {
  status = (await soak()) === 0 ? 0 : 1;
} finally {
  for (const complaint of complaints) console.log(`FAILED: ${complaint}`);
  if (complaints.length > 0) console.log(shownOnFailure());
  for (const director of directors) director.close();
  for (const director of directors) director.host.kill('SIGKILL');
  await pause(200);
  for (const director of directors) director.unmount();
  scene.close();
}
console.log(status === 0 ? 'passed: no daemon died unasked, and nothing grew' : 'failed');
process.exit(status);
