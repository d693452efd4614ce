import { anonymous } from '../../core/record/anonymous.ts';
import { readRecording } from '../../core/record/recording.ts';
import { replay } from '../../core/record/replay.ts';
import type { Command } from '../../io/arguments.ts';
import { writeRecording } from '../../io/recordings.ts';
import { ask, type CommonOptions, fail } from './ask.ts';

interface RecordOptions extends CommonOptions {
  readonly output?: string;
  readonly anonymous?: boolean;
}

/** With stand-ins; ends the program where the replay would not be the same. */
function faithfully(lines: readonly string[]): string[] {
  const changed = anonymous(lines);
  const [before, after] = [lines, changed].map((each) =>
    readRecording(each).processes.flatMap(({ tracks }) =>
      tracks.map((track) => replay(track).difference === undefined),
    ),
  );
  const wrong = before?.findIndex((equal, i) => equal !== after?.[i]) ?? -1;
  if (wrong >= 0) fail('with other names this recording does not replay: write it without --anonymous');
  return changed;
}

/** `vipkeeper record`: what the daemon's machines were told in the last minutes, and what they answered. */
export function addRecord(program: Command): void {
  program
    .command('record')
    .description('write what the daemon saw and decided in the last minutes to a file, for "replay"')
    .option('-o, --output <file>', 'the file (default: vipkeeper-TIME.recording)')
    .option('--anonymous', 'with other addresses and names; the replay works all the same', false)
    .action(async (_options, self: Command) => {
      const options: RecordOptions = self.optsWithGlobals();
      const { lines } = (await ask(options, { verb: 'record' })) as { readonly lines: readonly string[] };
      if (lines.length < 2) fail('no process of the daemon has anything recorded');
      const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
      const file = options.output ?? `vipkeeper-${time}.recording`;
      try {
        await writeRecording(file, options.anonymous ? faithfully(lines) : lines);
      } catch (error) {
        fail((error as Error).message);
      }
      process.stdout.write(`${file}\n`);
    });
}
