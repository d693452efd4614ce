import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { shownOnFailure } from '../failure.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { bulk } from './bulk.ts';
import { check } from './check.ts';
import { checkers } from './checkers.ts';
import { crash } from './crash.ts';
import { DAEMONS, type DaemonName, versionOf } from './daemon.ts';
import { faults } from './faults.ts';
import { checked, gaps } from './gaps.ts';
import { idle } from './idle.ts';
import { ipvs } from './ipvs.ts';
import { lvsadm } from './lvsadm.ts';
import { many } from './many.ts';
import { mass } from './mass.ts';
import type { Bench, Benchmark } from './measure.ts';
import { type Options, readOptions } from './options.ts';
import { relay } from './relay.ts';
import type { Section } from './result.ts';
import { Stage } from './stage.ts';
import { starts } from './starts.ts';
import { steady } from './steady.ts';
import { storm } from './storm.ts';
import { COLOURED, heading, PLAIN, table } from './table.ts';

/** `npm run bench`: vipkeeper and Debian's keepalived side by side. */
const ALL: readonly Benchmark[] = [
  crash,
  mass,
  many,
  storm,
  gaps,
  checked,
  idle,
  starts,
  check,
  steady,
  ipvs,
  lvsadm,
  checkers,
  faults,
  relay,
  bulk,
];

const options = readOptions(process.argv.slice(2), ALL);
await enclose();
const sections = await runAll(options).catch((error) => {
  process.stderr.write(`${shownOnFailure()}\n`);
  throw error;
});
process.exit(sections.every(worked) ? 0 : 1);

async function runAll({ benchmarks, json, ...effort }: Options): Promise<Section[]> {
  const paint = process.stdout.isTTY ? COLOURED : PLAIN;
  const names = Object.fromEntries(
    DAEMONS.map((name) => [name, effort.daemons.includes(name) ? versionOf(name) : '-']),
  ) as Record<DaemonName, string>;
  const print = (text: string): void => void (json || process.stdout.write(`${text}\n`));
  print(`${machine()}\n\n${heading(paint, names)}`);
  const sections: Section[] = [];
  const stage = await Stage.open();
  const bench: Bench = { stage, effort, progress: (text) => void process.stderr.write(`${text}\n`) };
  for (const benchmark of benchmarks) {
    for (const section of await benchmark.run(bench)) {
      sections.push(section);
      print(table(paint, section));
    }
  }
  stage.close();
  if (json) process.stdout.write(`${JSON.stringify({ machine: machine(), names, sections }, null, 2)}\n`);
  return sections;
}

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
  const host = `${availableParallelism()} x ${model}, Linux ${release()}`;
  return `${host}, Node ${process.version}, load ${load}, ${new Date().toISOString()}`;
}

/** Every daemon that was measured gave at least one sample of something. */
function worked({ rows, daemons = DAEMONS }: Section): boolean {
  const measured = options.daemons.filter((name) => daemons.includes(name));
  return measured.every((name) => rows.some(({ samples }) => samples[name].length > 0));
}
