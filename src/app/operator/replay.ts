import { counted } from '../../core/counted.ts';
import type { PlayedKind } from '../../core/director/ensemble.ts';
import type { RecordedKind } from '../../core/record/machines.ts';
import { type RecordedProcess, type Recording, readRecording } from '../../core/record/recording.ts';
import type { Difference } from '../../core/record/replay.ts';
import { effectWords } from '../../core/record/words.ts';
import { type Instant, instant } from '../../core/time.ts';
import type { Command } from '../../io/arguments.ts';
import { readRecordingFile } from '../../io/recordings.ts';
import { aligned, paint } from '../../io/screen.ts';
import { VERSION } from '../version.ts';
import { fail } from './ask.ts';
import { clockText, instantOf } from './recordedclock.ts';
import { standingLines } from './replaystanding.ts';
import { type Happened, type Story, type Told, tell } from './replaystory.ts';

interface ReplayOptions {
  readonly until?: string;
  readonly machine?: string;
  readonly events?: boolean;
  readonly json?: boolean;
}

const DIFFERENT = 1;
/** What is shown of an instant unasked, where there is anything to show. */
const SHOWN: readonly (PlayedKind | RecordedKind)[] = [
  'router',
  'group',
  'votes',
  'addresses',
  'leases',
  'routing',
  'bfd',
  'balancer',
];

const EXAMPLES = `
Examples:
  vipkeeper replay night.recording
  vipkeeper replay night.recording --until 03:12:07.5
  vipkeeper replay night.recording --until 03:12:07.5 --machine web
  vipkeeper replay night.recording --machine web --events
`;

/** `vipkeeper replay FILE`. */
export function addReplay(program: Command): void {
  program
    .command('replay <file>')
    .description('feed a recording to the machines of this program: do they decide the same? 0 yes, 1 no')
    .option('--until <time>', 'show how all stood at this time, as 03:12:07.5')
    .option('--machine <name>', 'only the virtual router, sync group ... of this name')
    .option('--events', 'every event and effect', false)
    .option('--json', 'as data', false)
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: ReplayOptions) => {
      const runs = opened(file).processes.map((process) => run(process, options));
      const all = runs.flatMap(({ told }) => told);
      if (all.length === 0) fail(`no machine of this name was recorded`);
      process.stdout.write(options.json ? json(runs) : text(opened(file), runs, options));
      process.exitCode = all.every(({ outcome }) => outcome.difference === undefined) ? 0 : DIFFERENT;
    });
}

function opened(file: string): Recording {
  try {
    return readRecording(readRecordingFile(file));
  } catch (error) {
    return fail((error as Error).message);
  }
}

/** The tracks of a process that were replayed, up to an instant where one is asked for. */
interface Run {
  readonly process: RecordedProcess;
  readonly until: Instant | undefined;
  readonly told: readonly Told[];
}

/** With `--machine`, only those who have one of that name. */
function run(process: RecordedProcess, { until: time, machine, events = false }: ReplayOptions): Run {
  const until = time === undefined ? undefined : instantOf(time, process);
  const all = process.tracks.map((track) => tell(track, until, events ? 'all' : 'summary'));
  const isMeant = ({ whole, within }: Told): boolean =>
    machine === undefined || [whole, ...within].some(({ name }) => name === machine);
  return { process, until, told: all.filter(isMeant) };
}

const json = (runs: readonly Run[]): string => `${JSON.stringify(runs.flatMap(dataOf), null, 2)}\n`;

const dataOf = ({ process, told }: Run): object[] =>
  told.map(({ whole, within, outcome: { machine, difference } }) => ({
    process: process.process,
    ...countsOf(whole),
    equal: machine !== undefined && difference === undefined,
    ...(difference && { at: clockText(difference.at, process), what: difference.what }),
    ...(within.length > 0 && { within: within.map(countsOf) }),
  }));

const countsOf = ({ kind, name, events, effects }: Story): object => ({ kind, name, events, effects });

function text({ version, host }: Recording, runs: readonly Run[], options: ReplayOptions): string {
  const replayer = version === VERSION ? '' : `, replayed by ${VERSION}`;
  const head = `recorded by vipkeeperd ${version} on ${host}${replayer}`;
  const shown = runs.filter(({ told }) => told.length > 0);
  return `${[head, ...shown.flatMap((each) => ['', ...runLines(each, options)])].join('\n')}\n`;
}

function runLines(each: Run, { machine }: ReplayOptions): string[] {
  const { process, until, told } = each;
  const starts = process.tracks.flatMap(({ segments }) => segments[0]?.start ?? []);
  const from = starts.length === 0 ? process.at : instant(Math.min(...starts));
  const to = until ?? process.at;
  const meant = told
    .flatMap(({ whole, within }) => [whole, ...within])
    .filter(({ name, kind }) => (machine === undefined ? SHOWN.includes(kind) : name === machine));
  const title = `${paint('bold', `process ${process.process}`)} ${process.pid}`;
  return [
    `${title}, ${clockText(from, process)} to ${clockText(to, process)}`,
    ...aligned(told.map(verdictRow), '  '),
    ...told.flatMap((one) => differenceLines(one, process)),
    ...(until === undefined
      ? eventLines(each, machine)
      : meant.flatMap((story) => instantLines(story, process, until))),
  ];
}

function verdictRow({
  whole: { kind, name, events, effects },
  outcome: { machine, difference },
}: Told): string[] {
  const verdict =
    machine === undefined
      ? paint('yellow', 'not known to this program')
      : difference === undefined
        ? paint('green', 'equal')
        : paint('red', 'different');
  const counts = [counted(events, 'event'), counted(effects, 'effect')].map((count) =>
    count.padStart(COUNT_WIDTH),
  );
  return [kind === name ? name : `${kind} ${name}`, ...counts, verdict];
}
const COUNT_WIDTH = 14;

/** What happened in all of the time: the news of a process, or of one machine in it. */
function eventLines({ process, told }: Run, machine: string | undefined): string[] {
  return told.flatMap(({ whole, within }) => {
    const stories = machine === undefined || whole.name === machine ? [whole] : within;
    return stories
      .filter(({ name }) => machine === undefined || name === machine)
      .flatMap(({ kind, name, happened }) =>
        happened.length === 0
          ? []
          : ['', paint('bold', titleOf(kind, name)), ...happened.map((each) => happenedLine(each, process))],
      );
  });
}

const titleOf = (kind: string, name: string): string => (kind === name ? name : `${kind} ${name}`);

const happenedLine = ({ at, text: what }: Happened, process: RecordedProcess): string =>
  `  ${clockText(at, process)}  ${what}`;

function differenceLines({ whole, outcome: { difference } }: Told, process: RecordedProcess): string[] {
  if (difference === undefined) return [];
  const { at, what, recorded, replayed } = difference;
  return [
    '',
    paint('red', `${titleOf(whole.kind, whole.name)} at ${clockText(at, process)}: ${what} differ`),
    `  recorded  ${differentWords(whole.kind, recorded, replayed)}`,
    `  replayed  ${differentWords(whole.kind, replayed, recorded)}`,
  ];
}

/** Of a list of effects those that the other has not. */
function differentWords(kind: string, value: Difference['recorded'], other: Difference['recorded']): string {
  const asText = (each: unknown): string =>
    JSON.stringify(each, (_, part) => (part instanceof Map ? Object.fromEntries(part) : part)) ?? 'nothing';
  if (!Array.isArray(value)) return asText(value);
  const others = Array.isArray(other) ? other.map(asText) : [];
  const own = value.filter((effect) => !others.includes(asText(effect)));
  return own.map((effect) => effectWords(kind, effect)).join('; ') || 'nothing else';
}

/** How a machine stood at the instant, and what it heard and did last. */
function instantLines(
  { kind, name, machine, evidence }: Story,
  process: RecordedProcess,
  until: Instant,
): string[] {
  if (machine === undefined) return [];
  const standing = standingLines(kind, machine, until, (at) => clockText(at, process));
  if (standing.length === 0) return [];
  return [
    '',
    paint('bold', `${titleOf(kind, name)} at ${clockText(until, process)}`),
    ...standing,
    ...(evidence.length === 0 ? [] : ['  last, before that:']),
    ...evidence.map((each) => `  ${happenedLine(each, process)}`),
  ];
}
