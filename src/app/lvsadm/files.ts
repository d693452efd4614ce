import { lvsadm, type Terminal } from './lvsadm.ts';

/** `lvsadm-save` and `lvsadm-restore`: what ipvsadm-save(8) and ipvsadm-restore(8) do, with lvsadm. */

const PROGRAM = 'lvsadm';

const usage = (program: string): string =>
  `${program}: Script to save the IPVS table to stdout.\n` +
  '   With the -n option, prints out the table in numeric format.\n';

/** Prints the commands that make the table; the exit status. Words that are no options have no effect. */
export async function saveTable(
  words: readonly string[],
  program: string,
  terminal: Terminal,
): Promise<number> {
  const options = words.filter((word) => word.startsWith('-'));
  if (options.some((word) => word !== '-n')) {
    terminal.err(usage(program));
    return 1;
  }
  return lvsadm(options.length > 0 ? ['-S', '-n'] : ['-S'], PROGRAM, terminal);
}

/**
 * Clears the table and runs the input's lines, without those that begin with `#`; the exit status is the last
 * line's. The input is read whole before the table is cleared: it may come from it.
 */
export async function restoreTable(
  _words: readonly string[],
  _program: string,
  terminal: Terminal,
): Promise<number> {
  const lines = (await allOf(terminal.input)).split('\n').filter((line) => !line.startsWith('#'));
  await lvsadm(['-C'], PROGRAM, terminal);
  return lvsadm(['-R'], PROGRAM, {
    out: terminal.out,
    keep: terminal.keep,
    err: terminal.err,
    input: textInput(lines.join('\n')),
  });
}

async function allOf(input: AsyncIterable<string | Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of input) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  }
  return text;
}

async function* textInput(text: string): AsyncGenerator<string> {
  yield text;
}
