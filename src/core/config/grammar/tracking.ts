import * as arg from '../arguments.ts';
import { type Argument, type Beyond, block, flag, keyword, lines } from '../schema.ts';
import { serviceName } from './service.ts';

const I32 = 2_147_483_647;
const LONGEST = 4_294;
/** keepalived's limits: a weight of 254 turns any priority into the least or the most. */
const SCRIPT_WEIGHT = 253;
const FILE_WEIGHT = 254;

/** `weight N [reverse]` as a keyword of a block. */
const weightKeyword = (limit: number, fallback: string, beyond: Beyond = 'ignored') =>
  keyword(
    'added to the priority when good (N > 0) or taken off when bad (N < 0); 0: FAULT when bad',
    [arg.integer('N', -limit, limit), arg.optional(arg.choice('reverse', 'noreverse'))],
    { default: fallback, beyond },
  );
/** `USER [[:]GROUP]`. */
export const identity = [arg.text('USER'), arg.optional(arg.text('[:]GROUP'))] as const;

/** `vrrp_script` (keepalived: vrrp/vrrp_parser.c). */
export const vrrpScript = {
  script: keyword('the command; good when it exits with 0', [arg.script]),
  interval: keyword('from one start to the next', [arg.timer(0, LONGEST)], { default: '1' }),
  timeout: keyword('a run that takes longer is ended, and has failed', [arg.timer(0, LONGEST)], {
    default: 'interval',
  }),
  weight: weightKeyword(SCRIPT_WEIGHT, '0', 'nearest'),
  rise: keyword('successes in a row that make it good', [arg.integer('N', 1, I32)], { default: '1' }),
  fall: keyword('failures in a row that make it bad', [arg.integer('N', 1, I32)], { default: '1' }),
  user: keyword('who runs it', identity, { default: 'script_user' }),
  init_fail: flag('bad until its first success', {
    inert: 'it has no effect in keepalived either; an instance waits for the first result',
  }),
};
export const vrrpScriptBlock = block('a health script for track_script', [arg.text('NAME')], vrrpScript, {
  repeat: true,
});

const delay = [arg.timer(0.000001, 3600)] as const;

/** `vrrp_track_process` (keepalived: trackers/track_process.c). */
export const vrrpTrackProcess = {
  process: keyword('what to look for: the command, and its parameters if they matter', [
    arg.text('CMD'),
    arg.rest(arg.text('PARAM')),
  ]),
  param_match: keyword(
    'how parameters compare: all of them, the first ones, or the first ones with the last cut short',
    [arg.optional(arg.choice('initial', 'partial'))],
    { default: 'exact' },
  ),
  weight: weightKeyword(FILE_WEIGHT, '0'),
  quorum: keyword('how many there must be', [arg.integer('N', 1, 65_535)], { default: '1' }),
  quorum_max: keyword('how many there may be', [arg.integer('N', 0, 65_535)], { default: 'any number' }),
  delay: keyword('sets both delays', delay, { default: '0' }),
  terminate_delay: keyword('a loss must last so long', delay, { default: '0' }),
  fork_delay: keyword('a gain must last so long', delay, { default: '0' }),
  full_command: flag('compare the whole path of the command line, not the name that the kernel keeps'),
};
export const vrrpTrackProcessBlock = block(
  'processes for track_process',
  [arg.text('NAME')],
  vrrpTrackProcess,
  { repeat: true },
);

/** `[VALUE] [overwrite]`. */
const initFile: Argument<{ readonly value: number; readonly overwrite: boolean }> = {
  syntax: '[VALUE] [overwrite]',
  expects: 'a whole number, overwrite, or both',
  choices: ['overwrite'],
  read(words) {
    const number = arg.integer('VALUE', -I32 - 1, I32);
    const first = words.peek()?.text;
    const value = first === undefined || first === 'overwrite' ? 0 : number.read(words);
    const overwrite = words.peek()?.text === 'overwrite';
    if (overwrite) words.take();
    return value === undefined ? undefined : { value, overwrite };
  },
};

/** `track_file`, and its old name `vrrp_track_file` (keepalived: trackers/track_file.c). */
export const trackFile = {
  file: keyword('the file that holds the number; none or no number counts as 0', [arg.text('PATH')]),
  weight: weightKeyword(FILE_WEIGHT, '1'),
  init_file: keyword('make the file at the start, if there is none', [initFile]),
};
const TRACK_FILE = 'a number read from a file, for track_file and FILE_CHECK';
export const trackFileBlock = block(TRACK_FILE, [arg.text('NAME')], trackFile, {
  repeat: true,
});
export const vrrpTrackFileBlock = block(TRACK_FILE, [arg.text('NAME')], trackFile, {
  repeat: true,
  alias: 'track_file',
  deprecated: 'write track_file',
});

/** One line of `track_script` and its kin. */
export interface TrackLine {
  readonly name: string;
  readonly weight?: number;
  readonly reverse?: boolean;
}

/** `NAME [weight N] [reverse|noreverse]`. */
function trackLine(name: Argument<string>, limit: number): Argument<TrackLine> {
  const options = arg.options({
    weight: arg.integer('N', -limit, limit),
    reverse: arg.present,
    noreverse: arg.present,
  });
  return {
    syntax: `${name.syntax} ${options.syntax}`,
    expects: name.expects,
    read(words) {
      const read = name.read(words);
      const found = read === undefined ? undefined : options.read(words);
      if (read === undefined || found === undefined) return undefined;
      const { weight, reverse, noreverse } = found;
      return {
        name: read,
        ...(weight === undefined ? {} : { weight }),
        ...(reverse ? { reverse: true } : noreverse ? { reverse: false } : {}),
      };
    },
  };
}

const scriptLine = trackLine(arg.text('NAME'), SCRIPT_WEIGHT);
const fileLine = trackLine(arg.text('NAME'), FILE_WEIGHT);

/** A weight beyond its range turns any priority into the least or the most all the same. */
const CUT = { beyond: 'nearest' } as const;

/** What an instance or a sync group may track. The same in both. */
export const trackLists = {
  track_interface: lines(
    'interfaces that must be up, besides its own',
    trackLine(arg.interfaceName, SCRIPT_WEIGHT),
    CUT,
  ),
  track_script: lines('scripts, by the names of their vrrp_script', scriptLine, CUT),
  track_file: lines('files, by the names of their track_file', fileLine, CUT),
  track_process: lines('processes, by the names of their vrrp_track_process', fileLine, CUT),
  track_bfd: lines('BFD sessions, by the names of their bfd_instance', scriptLine, CUT),
  track_quorum: lines(
    'virtual servers whose quorum must hold by what the checks say, named as their blocks are',
    trackLine(serviceName, SCRIPT_WEIGHT),
    { ours: true },
  ),
};
