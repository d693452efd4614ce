import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lvsadm } from '../../../src/app/lvsadm/lvsadm.ts';

/**
 * Runs command lines of ipvsadm or lvsadm, on demand, in the namespace that it was started in. lvsadm runs in
 * this process and ipvsadm below a small shell: to start Node, or to start anything from Node, a thousand times
 * in the lab's kernel would take longer than all else.
 */
export interface Line {
  readonly words: readonly string[];
  /** What -R reads. */
  readonly input: string;
}

export interface Ran {
  readonly out: string;
  readonly err: string;
  /** As the shell gives it: 128 and the signal's number for one that a signal ended. */
  readonly status: number;
}

export interface Ask {
  readonly id: number;
  readonly program: 'ipvsadm' | 'lvsadm';
  readonly lines: readonly Line[];
}

export interface Answer {
  readonly id: number;
  readonly ran: readonly Ran[];
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

function runTheirs(lines: readonly Line[]): Ran[] {
  const folder = mkdtempSync('/run/lines-');
  try {
    const commands = lines.map(({ words, input }, n) => {
      writeFileSync(join(folder, `${n}.in`), input);
      return `ipvsadm ${words.map(quoted).join(' ')} <${n}.in >${n}.out 2>${n}.err\necho $?\n`;
    });
    const { stdout, error } = spawnSync('sh', [], {
      cwd: folder,
      input: commands.join(''),
      encoding: 'utf8',
    });
    if (error !== undefined) throw error;
    const statuses = stdout.trimEnd().split('\n').map(Number);
    return lines.map((_, n) => ({
      out: readFileSync(join(folder, `${n}.out`), 'utf8'),
      err: readFileSync(join(folder, `${n}.err`), 'utf8'),
      status: statuses[n] ?? -1,
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runOurs({ words, input }: Line): Promise<Ran> {
  let [out, err] = ['', ''];
  const print = (text: string): void => {
    out += text;
  };
  const status = await lvsadm(words, 'ipvsadm', {
    out: print,
    keep: print,
    err: (text) => {
      err += text;
    },
    input: (async function* () {
      yield input;
    })(),
  });
  return { out, err, status };
}

async function answer({ id, program, lines }: Ask): Promise<Answer> {
  if (program === 'ipvsadm') return { id, ran: runTheirs(lines) };
  const ran: Ran[] = [];
  for (const line of lines) ran.push(await runOurs(line));
  return { id, ran };
}

process.on('message', async (ask: Ask) => process.send?.(await answer(ask)));
process.on('disconnect', () => process.exit());
process.send?.({ id: 0, ran: [] } satisfies Answer);
