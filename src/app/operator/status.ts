import { setTimeout as wait } from 'node:timers/promises';
import { find, isNothing, narrowed, whyNothing } from '../../core/status/find.ts';
import type { StatusReport } from '../../core/status/report.ts';
import { STATUSES, type Verdict, verdict, verdictLine } from '../../core/status/verdict.ts';
import { type Command, InvalidArgumentError } from '../../io/arguments.ts';
import { screenFiller } from '../../io/screen.ts';
import { statusLines } from '../status.ts';
import { type CommonOptions, fail, type Trouble } from './ask.ts';
import { look, tryLook } from './look.ts';

interface StatusOptions extends CommonOptions {
  readonly check?: boolean;
  /** Seconds; true for each second. */
  readonly watch?: number | true;
}

const EXAMPLES = `
NAME is a virtual router, a virtual server, a real server, or the address of one: VI_1, 10.0.0.100, 10.0.0.100:80

Examples:
  vipkeeper status                    all of it
  vipkeeper status 10.0.0.100         who has this address, and what is served there
  vipkeeper status --watch            again and again
  vipkeeper status --check            for monitoring: one line, and 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
  vipkeeper status --json | jq .vrrp  for programs; vipkeeper(8) describes it`;

const LONGEST_PAUSE = 3600;

export function addStatus(program: Command): void {
  program
    .command('status [name]')
    .description('who is master, since when and why; virtual servers; processes; of one name, or all')
    .option('--json', 'as data')
    .option('--check', 'one line and an exit status for monitoring')
    .option('--watch [seconds]', 'again and again', pauseOf)
    .addHelpText('after', EXAMPLES)
    .action(async (name: string | undefined, _options, self: Command) => {
      const options: StatusOptions = self.optsWithGlobals();
      if (options.check) return check(options, name);
      if (options.watch !== undefined) return watch(options, name);
      const report = wanted(await look(options), name);
      process.stdout.write(
        `${options.json ? JSON.stringify(report, null, 2) : statusLines(report).join('\n')}\n`,
      );
      if (!report.running) process.exitCode = 1;
    });
}

function pauseOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= LONGEST_PAUSE))
    throw new InvalidArgumentError(`Seconds are wanted, 0.1 to ${LONGEST_PAUSE}.`);
  return seconds;
}

/** What has this name, or all; ends the program when nothing has. */
function wanted(report: StatusReport, name: string | undefined): StatusReport {
  if (name === undefined) return report;
  const found = find(report, name);
  return isNothing(found) ? fail(whyNothing(report, name)) : narrowed(report, found);
}

async function check(options: StatusOptions, name: string | undefined): Promise<void> {
  const found = await tryLook(options);
  const report = 'report' in found ? found.report : undefined;
  const judged = 'report' in found ? judge(found.report, name) : ofTrouble(found.trouble);
  process.stdout.write(`${verdictLine(judged, report)}\n`);
  process.exitCode = STATUSES[judged.word];
}

function judge(report: StatusReport, name: string | undefined): Verdict {
  if (name === undefined) return verdict(report);
  const found = find(report, name);
  if (isNothing(found)) return { word: 'UNKNOWN', reasons: [whyNothing(report, name)] };
  return verdict(narrowed(report, found));
}

const ofTrouble = ({ kind, message }: Trouble): Verdict => ({
  word: kind === 'down' || kind === 'silent' ? 'CRITICAL' : 'UNKNOWN',
  reasons: [message],
});

/** Until somebody ends it. Where the daemon is gone, that is what is seen. */
async function watch(options: StatusOptions, name: string | undefined): Promise<void> {
  const { json, watch: pause } = options;
  const draw = !json && process.stdout.isTTY ? screenFiller() : undefined;
  for (;;) {
    const found = await tryLook(options);
    const lines = 'trouble' in found ? [found.trouble.message] : linesOf(found.report, name, json);
    if (draw) draw(lines);
    else process.stdout.write(`${lines.join('\n')}\n${json ? '' : '\n'}`);
    await wait((pause === true || pause === undefined ? 1 : pause) * 1000);
  }
}

function linesOf(report: StatusReport, name: string | undefined, json = false): string[] {
  const found = name === undefined ? undefined : find(report, name);
  if (found !== undefined && isNothing(found)) return [whyNothing(report, name ?? '')];
  const shown = found === undefined ? report : narrowed(report, found);
  return json ? [JSON.stringify(shown)] : statusLines(shown);
}
