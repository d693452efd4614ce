import type { Instant } from '../time.ts';
import { plainValue } from './plain.ts';
import type { Segment } from './track.ts';

/** The form of the files; another number is refused. */
export const FORM = 2;
const FORMAT = 'vipkeeper recording';

/** What the first line says. */
export interface Heading {
  readonly format: typeof FORMAT;
  readonly form: number;
  /** Of the program. */
  readonly version: string;
  readonly host: string;
}

/** Before the lines of each process. */
export interface ProcessHeading {
  readonly process: string;
  readonly pid: number;
  /** The same moment by its monotonic and by its wall clock, in microseconds; and minutes that this is ahead of UTC. */
  readonly at: Instant;
  readonly utc: number;
  readonly zone: number;
}

/** What one machine was told and what it answered, without a gap. */
export interface RecordedTrack {
  readonly kind: string;
  readonly name: string;
  readonly segments: readonly Segment[];
}

export interface RecordedProcess extends ProcessHeading {
  readonly tracks: readonly RecordedTrack[];
}

export interface Recording extends Heading {
  readonly processes: readonly RecordedProcess[];
}

export const heading = (version: string, host: string): Heading => ({
  format: FORMAT,
  form: FORM,
  version,
  host,
});

type Line = Segment & { readonly track: number; readonly kind: string; readonly name: string };

/** Reads the lines of a file. Throws Error that says what is wrong with it. */
export function readRecording(lines: readonly string[]): Recording {
  const [first = '', ...rest] = lines;
  const head = parsed(first, 1) as Partial<Heading> | undefined;
  if (head?.format !== FORMAT)
    throw new Error('this is no recording of vipkeeper, or it is one of an older release');
  if (head.form !== FORM)
    throw new Error(`this recording has form ${head.form}; this program reads form ${FORM}`);
  const processes: (ProcessHeading & {
    readonly tracks: Map<number, RecordedTrack & { segments: Segment[] }>;
  })[] = [];
  for (const [index, text] of rest.entries()) {
    if (text === '') continue;
    const line = parsed(text, index + 2) as ProcessHeading | Line;
    if ('process' in line) {
      processes.push({ ...line, tracks: new Map() });
      continue;
    }
    const { track, kind, name, ...segment } = line;
    const tracks = processes.at(-1)?.tracks;
    if (tracks === undefined) throw new Error(`line ${index + 2} of the recording belongs to no process`);
    const known = tracks.get(track);
    if (known === undefined) tracks.set(track, { kind, name, segments: [segment] });
    else known.segments.push(segment);
  }
  return {
    ...(head as Heading),
    processes: processes.map(({ tracks, ...process }) => ({ ...process, tracks: [...tracks.values()] })),
  };
}

function parsed(text: string, line: number): unknown {
  try {
    return plainValue(text);
  } catch (error) {
    throw new Error(`line ${line} of the recording cannot be read: ${(error as Error).message}`);
  }
}
