import {
  type RecordedProcess,
  type RecordedTrack,
  type Recording,
  readRecording,
} from '../../core/record/recording.ts';
import { type Replayed, replay } from '../../core/record/replay.ts';
import { effectWords, eventWords, isNews } from '../../core/record/words.ts';
import { type Instant, instant } from '../../core/time.ts';
import type { Command } from '../../io/arguments.ts';
import { readRecordingFile } from '../../io/recordings.ts';
import { aligned, paint } from '../../io/screen.ts';
import { VERSION } from '../version.ts';
import { fail } from './ask.ts';
import { standingLines } from './replaystanding.ts';

export interface ReplayOptions {
  readonly until?: string;
  readonly machine?: string;
  readonly events?: boolean;
  readonly json?: boolean;
}

const DIFFERENT = 1;
/** How many entries before the instant are shown as its evidence. */
const EVIDENCE = 6;

/** `vipkeeper replay FILE`. */
export function addReplay(program: Command): void {
  program
    .command('replay <file>')
    .description('feed a recording to the machines of this program: do they decide the same? 0 yes, 1 no')
    .option('--until <time>', 'show how all stood at this time, as 03:12:07.5')
    .option('--machine <name>', 'only the machines of this name')
    .option('--events', 'every event and effect', false)
    .option('--json', 'as data', false)
    .action((file: string, options: ReplayOptions) => {
      const { text, equal } = replayed(file, options);
      process.stdout.write(text);
      process.exitCode = equal ? 0 : DIFFERENT;
    });
}

function opened(file: string): Recording {
  try {
    return readRecording(readRecordingFile(file));
  } catch (error) {
    return fail((error as Error).message);
  }
}

/** What the command prints, and whether all effects were equal. */
export function replayed(
  file: string,
  options: ReplayOptions,
): { readonly text: string; readonly equal: boolean } {
  const recording = opened(file);
  const processes = recording.processes.map((process) => {
    const until = options.until === undefined ? undefined : instantOf(options.until, process);
    const tracks = process.tracks.filter(
      ({ name }) => options.machine === undefined || name === options.machine,
    );
    return { process, until, runs: tracks.map((track) => run(process, track, until)) };
  });
  const runs = processes.flatMap((each) => each.runs);
  if (options.machine !== undefined && runs.length === 0) fail(`no machine of this name was recorded`);
  const equal = runs.every(({ outcome }) => outcome.difference === undefined);
  if (options.json) return { text: `${JSON.stringify(runs.map(dataOf), null, 2)}\n`, equal };
  const lines = [
    `recorded by vipkeeperd ${recording.version} on ${recording.host}${
      recording.version === VERSION ? '' : `, replayed by ${VERSION}`
    }`,
    ...processes.flatMap(({ process, until, runs: each }) => [
      '',
      ...processLines(process, until, each, options),
    ]),
  ];
  return { text: `${lines.join('\n')}\n`, equal };
}

interface Happened {
  readonly at: Instant;
  readonly text: string;
  readonly news: boolean;
}

interface Ran {
  readonly process: RecordedProcess;
  readonly track: RecordedTrack;
  readonly outcome: Replayed;
  readonly happened: readonly Happened[];
}

function run(process: RecordedProcess, track: RecordedTrack, until: Instant | undefined): Ran {
  const happened: Happened[] = [];
  const { kind } = track;
  const outcome = replay(track, {
    ...(until !== undefined && { until }),
    heard: ({ kind: entry, at, item }) => {
      if (entry === 'event' || entry === 'nested')
        happened.push({ at, text: `< ${eventWords(kind, item)}`, news: false });
      if (entry === 'effects')
        for (const effect of item as readonly unknown[])
          happened.push({ at, text: `> ${effectWords(kind, effect)}`, news: isNews(effect) });
    },
  });
  return { process, track, outcome, happened };
}

function processLines(
  process: RecordedProcess,
  until: Instant | undefined,
  runs: readonly Ran[],
  options: ReplayOptions,
): string[] {
  const starts = process.tracks.flatMap(({ segments }) => segments[0]?.start ?? []);
  const from = starts.length === 0 ? process.at : instant(Math.min(...starts));
  const span = `${clockText(from, process)} to ${clockText(process.at, process)}`;
  return [
    `${paint('bold', `process ${process.process}`)} ${process.pid}, ${span}`,
    ...aligned(runs.map(verdictRow), '  '),
    ...runs.flatMap((ran) => differenceLines(ran)),
    ...runs.flatMap((ran) => {
      const { happened } = ran;
      const shown = options.events ? happened : happened.filter(({ news }) => news);
      if (until !== undefined) return ['', ...instantLines(ran, until)];
      return shown.length === 0
        ? []
        : ['', ran.track.name, ...shown.map((each) => happenedLine(each, process))];
    }),
  ];
}

function verdictRow({ track, outcome }: Ran): string[] {
  const { machine, events, effects, difference } = outcome;
  const verdict =
    machine === undefined
      ? paint('yellow', 'not known to this program')
      : difference === undefined
        ? paint('green', 'equal')
        : paint('red', 'different');
  return [track.kind, track.name, `${events} events`, `${effects} effects`, verdict];
}

const happenedLine = ({ at, text }: Happened, process: RecordedProcess): string =>
  `  ${clockText(at, process)}  ${text}`;

function differenceLines({ track, outcome: { difference }, process }: Ran): string[] {
  if (difference === undefined) return [];
  const { at, what, recorded, replayed: answered } = difference;
  const words = (value: unknown): string =>
    Array.isArray(value)
      ? value.map((effect) => effectWords(track.kind, effect)).join('; ') || 'nothing'
      : JSON.stringify(value, (_, each) => (each instanceof Map ? Object.fromEntries(each) : each));
  return [
    '',
    paint('red', `${track.name} at ${clockText(at, process)}: ${what}`),
    `  recorded  ${words(recorded)}`,
    `  replayed  ${words(answered)}`,
  ];
}

/** How it stood at the instant, and what it heard and did last. */
function instantLines({ track, outcome, happened, process }: Ran, until: Instant): string[] {
  const { machine } = outcome;
  const standing =
    machine === undefined ? [] : standingLines(track.kind, machine, until, (at) => clockText(at, process));
  const evidence = happened.slice(-EVIDENCE).map((each) => happenedLine(each, process));
  return [
    `${paint('bold', track.name)} at ${clockText(until, process)}`,
    ...standing,
    ...(evidence.length === 0 ? [] : ['  last, before that:', ...evidence]),
  ];
}

const dataOf = ({ track, outcome, process }: Ran) => ({
  process: process.process,
  kind: track.kind,
  name: track.name,
  events: outcome.events,
  effects: outcome.effects,
  equal: outcome.difference === undefined,
  ...(outcome.difference && { at: clockText(outcome.difference.at, process), what: outcome.difference.what }),
});

const MINUTE_US = 6e7;
const DAY_US = 864e8;

/** The recorded host's own clock, to the millisecond: as in its log. */
function clockText(at: Instant, { at: now, utc, zone }: RecordedProcess): string {
  const local = utc - (now - at) + zone * MINUTE_US;
  return new Date(local / 1e3).toISOString().slice(11, 23);
}

/**
 * The moment that `text` names: with a date as in the log, or the last one of the recording at which the recorded
 * host's clock showed that time.
 */
function instantOf(text: string, { at: now, utc, zone }: RecordedProcess): Instant {
  const [, date, hours, minutes, seconds, offset] =
    /^(\d{4}-\d\d-\d\d[T ])?(\d\d?):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined)
    fail(`a time is written as 03:12:07.5, or with its date as in the log; not ${text}`, 2);
  const shift = offset === undefined ? zone : offsetMinutes(offset);
  const wanted = (Number(hours) * 60 + Number(minutes)) * MINUTE_US + Number(seconds ?? 0) * 1e6;
  const here = utc + shift * MINUTE_US;
  if (date !== undefined)
    return instant(now - (here - (Date.parse(`${date.slice(0, 10)}T00:00:00Z`) * 1e3 + wanted)));
  const before = (((here - wanted) % DAY_US) + DAY_US) % DAY_US;
  return instant(now - before);
}

/** Of `Z` or `+02:00`. */
function offsetMinutes(text: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
}
