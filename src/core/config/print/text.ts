import type { ScriptCommand } from '../../notify/settings.ts';
import type { Duration } from '../../time.ts';

/** The parts that printed configurations are made of. */

/** A block: its header, its lines indented, its closing brace. */
export const section = (header: string, lines: readonly string[]): string[] => [
  `${header} {`,
  ...lines.map((line) => `    ${line}`),
  '}',
];

/** A block, or nothing when it would be empty. */
export const sectionIfAny = (header: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : section(header, lines);

/** Quoted where a bare word would be cut or split, or, first on its line, be a condition or a generator. */
export const word = (text: string): string => (/^[@~]|[\s{}#!\\]/.test(text) ? `"${text}"` : text);
export const onOff = (value: boolean): string => (value ? 'on' : 'off');
export const when = (condition: boolean, line: string): string[] => (condition ? [line] : []);
export const setting = (keyword: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`${keyword} ${value}`];

/** Decimal seconds without needless zeros. */
export const secondsText = (duration: Duration): string => {
  const fraction = String(duration % 1e6)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${Math.floor(duration / 1e6)}${fraction === '' ? '' : `.${fraction}`}`;
};

/** Whole words of a command that need no escape; `$` would be a variable. */
const PLAIN = /[^A-Za-z0-9_/.,:;=+@%^~>|&*?()[\]{}#!\u0100-\uffff-]/g;

/**
 * A script keyword's argument: the command is read twice, so what is special in it is escaped twice.
 */
export function commandText({ command, user }: ScriptCommand): string {
  const escaped = (c: string): string => `\\\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  const words = command.map((argument) => (argument === '' ? "''" : argument.replace(PLAIN, escaped)));
  const who = user === undefined ? '' : ` ${user.uid} ${user.gid}`;
  return `"${words.join(' ')}"${who}`;
}

/** A word for an argument that is read with escapes, once: a regular expression. */
export const escapedWord = (text: string): string =>
  `"${text.replace(PLAIN, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
