import { parseArgs } from 'node:util';
import { DAEMONS, type DaemonName } from './daemon.ts';
import type { Benchmark, Effort } from './measure.ts';

export interface Options extends Effort {
  readonly json: boolean;
  readonly benchmarks: readonly Benchmark[];
}

const MINUTES = { whole: 10, quick: 1 } as const;

function help(all: readonly Benchmark[]): string {
  const width = Math.max(...all.map(({ name }) => name.length));
  return `usage: npm run bench -- [options] [BENCHMARK ...]

Compares vipkeeper with Debian's keepalived on this machine: both get the same configuration and are measured
in turn, in network namespaces that are gone afterwards. Prints figures and judges nothing: exit status 1 means that
something did not work at all. Needs root.

${all.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join('\n')}

  --quick           fewer and shorter runs, about 20 minutes
  --minutes N       how long to watch each daemon for false failovers (${MINUTES.whole}; --quick: ${MINUTES.quick})
  --daemon NAME     only this one (${DAEMONS.join(' or ')})
  --json            every sample as JSON
  --help            this text
`;
}

/** Reads the command line; prints and exits for --help and for what it does not understand. */
export function readOptions(argv: readonly string[], all: readonly Benchmark[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        minutes: { type: 'string' },
        daemon: { type: 'string', multiple: true, default: [...DAEMONS] },
      },
    });
    if (values.help) {
      process.stdout.write(help(all));
      process.exit(0);
    }
    const minutes = Number(values.minutes ?? (values.quick ? MINUTES.quick : MINUTES.whole));
    if (!(minutes > 0)) throw new Error(`--minutes wants a number above 0, not ${values.minutes}`);
    const daemons = values.daemon.map((name) => oneOf(name, DAEMONS, 'daemon'));
    const named = positionals.map((name) => benchmarkOf(name, all));
    const { quick, json } = values;
    return { quick, json, minutes, daemons, benchmarks: named.length === 0 ? all : named };
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n(--help lists all)\n`);
    process.exit(2);
  }
}

function oneOf(name: string, known: readonly DaemonName[], what: string): DaemonName {
  const found = known.find((each) => each === name);
  if (found === undefined) throw new Error(`no ${what} ${name}; there are: ${known.join(', ')}`);
  return found;
}

function benchmarkOf(name: string, all: readonly Benchmark[]): Benchmark {
  const found = all.find((each) => each.name === name);
  if (found === undefined) {
    throw new Error(`no benchmark ${name}; there are: ${all.map((each) => each.name).join(', ')}`);
  }
  return found;
}
