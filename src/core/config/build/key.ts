import type { Token } from '../lex.ts';
import type { Context } from './context.ts';

const KEY_BYTES_LEAST = 16;

/** Reports a file that is no key, or that others can read. */
export function checkKey(path: string, where: Token, { findings, facts, reader }: Context): void {
  const file = reader.read(path);
  if (file.kind !== 'text') {
    findings.error(where, `the key cannot be read: ${path} ${file.problem}`, {
      hint: `openssl rand -hex 32 > ${path}, the same wherever it is used`,
    });
  } else if (file.text.trim().length < KEY_BYTES_LEAST) {
    findings.error(where, `the key in ${path} is shorter than ${KEY_BYTES_LEAST} bytes`, {
      hint: `openssl rand -hex 32 > ${path}`,
    });
  } else if (facts.isExposed(path)) {
    findings.error(where, `others than its owner can read the key in ${path}`, { hint: `chmod 600 ${path}` });
  }
}
