import type { FencingSettings } from '../fence/settings.ts';
import { root } from './grammar/root.ts';
import type { Configuration, Diagnostic } from './model.ts';
import type { Table } from './schema.ts';
import type { Line } from './source.ts';
import { nearest } from './spelling.ts';

/**
 * Passwords and keys, by the keyword tables' word `secret`: whoever sees a log, a terminal or a dump is not to learn
 * them. Diagnostics are about files in any state, so they hide what could be a secret rather than what surely is one.
 */

/** What stands in its place. */
export const HIDDEN = '********';

/** By keyword: how many words stand before the secret. */
const SECRETS: ReadonlyMap<string, number> = new Map(secretsOf(root));
const NAMES = [...SECRETS.keys()].filter((name) => name.length > 4);
const SOUNDS_SO = /pass(?:w|word|wd|phrase|code)?$|secret$/i;
/** A shorter one could be a part of any word: it is hidden on its own line only. */
const TELLTALE = 4;

function secretsOf(table: Table): [string, number][] {
  return Object.entries(table).flatMap(([name, { secret, body }]) => [
    ...(secret === undefined ? [] : [[name, secret] as [string, number]]),
    ...(body?.kind === 'keywords' ? secretsOf(body.table) : []),
  ]);
}

/** How many words stand before a secret after this word; one at the beginning may be misspelt. */
function wordsBefore(word: string, first: boolean): number | undefined {
  const exactly = SECRETS.get(word);
  if (exactly !== undefined || !first) return exactly;
  return SOUNDS_SO.test(word) || nearest(word, NAMES) !== undefined ? 0 : undefined;
}

/** Where a secret begins in a line, as written or expanded, if one may be there: it goes to the end of the line. */
function secretIn(text: string): number | undefined {
  const words = [...text.matchAll(/[^\s{}"=$]+/g)];
  for (const [i, { 0: word }] of words.entries()) {
    const before = wordsBefore(word, i === 0 || /[{=$]\s*$/.test(text.slice(0, words[i]?.index)));
    const begins = before === undefined ? undefined : words[i + before];
    if (begins === undefined) continue;
    const at = begins.index + begins[0].length;
    const rest = text.slice(at);
    const start = at + rest.length - rest.replace(/^[\s"=]+/, '').length;
    if (start < text.length && !isNone(text.slice(start))) return start;
  }
  return undefined;
}

/** The name of a file, or of a variable, is shown. */
const isNone = (text: string): boolean => /^file:|^\$\{?\w+\}?[\s}]*$|^[{}]/.test(text);

/** Each word of the secret, and all of it; keywords and variables among them are none. */
function wordsOf(secret: string): string[] {
  const whole = secret.replace(/[\s}"']+$/, '');
  return [whole, ...whole.split(/[\s{}"]+/)].filter(
    (word) => word !== '' && !SECRETS.has(word) && !word.startsWith('$'),
  );
}

/** The words of a generator on a line about a secret: `~LST(p, SECRET) auth_pass $p`. */
function generated(text: string): string[] {
  if (!text.includes('~') || !text.split(/[\s{}]+/).some((word) => SECRETS.has(word))) return [];
  return [...text.matchAll(/~\w+\(([^)]*)\)/g)].flatMap(([, words = '']) =>
    wordsOf(words.replaceAll(',', ' ')),
  );
}

/** The diagnostics of a configuration whose expanded lines these are, with its secrets hidden. */
export function hideSecrets(diagnostics: readonly Diagnostic[], lines: readonly Line[]): Diagnostic[] {
  if (diagnostics.length === 0) return [];
  const known = new Set<string>();
  const places = new Map<string, string[]>();
  for (const { text, file, number } of lines) {
    const start = secretIn(text);
    if (start === undefined) continue;
    const words = wordsOf(text.slice(start));
    for (const word of words) if (word.length >= TELLTALE) known.add(word);
    places.set(`${file.name}:${number}`, words);
  }
  // Longer ones first: a shorter one may be a part of them.
  const telltales = [...known].sort((a, b) => b.length - a.length);
  return diagnostics.map((diagnostic) => {
    const { at, source, message, hint } = diagnostic;
    const start = secretIn(source);
    const own = [
      ...(places.get(`${at.file}:${at.line}`) ?? []),
      ...(start === undefined ? [] : wordsOf(source.slice(start))),
      ...generated(source),
    ];
    const hidden = [...telltales, ...own.filter(({ length }) => length >= TELLTALE)];
    const hide = (text: string): string => blank(blankQuoted(text, own), hidden);
    return {
      ...diagnostic,
      source: blank(start === undefined ? source : source.slice(0, start) + HIDDEN, hidden),
      message: hide(message),
      ...(hint !== undefined && { hint: hide(hint) }),
    };
  });
}

const blank = (text: string, words: readonly string[]): string =>
  words.reduce((shown, word) => shown.replaceAll(word, HIDDEN), text);

/** Messages quote what they found. */
const blankQuoted = (text: string, words: readonly string[]): string =>
  words.length === 0
    ? text
    : text.replace(/'([^']*)'/g, (quoted, inner: string) =>
        words.some((word) => word.includes(inner)) ? `'${HIDDEN}'` : quoted,
      );

/** The configuration as it may be shown: to be read, not to be used. */
export function withoutSecrets(configuration: Configuration): Configuration {
  return {
    ...configuration,
    ...(configuration.fencing !== undefined && { fencing: withoutParameters(configuration.fencing) }),
    instances: configuration.instances.map(({ password, ah, hmac, ...instance }) => ({
      ...instance,
      ...(password !== undefined && { password: HIDDEN }),
      ...(ah !== undefined && { ah: HIDDEN }),
      ...(hmac !== undefined && {
        hmac: { ...hmac, keys: hmac.keys.map(({ id }) => ({ id, secret: HIDDEN })) },
      }),
    })),
    virtualServers: configuration.virtualServers.map((server) => ({
      ...server,
      realServers: server.realServers.map((real) => ({
        ...real,
        checks: real.checks.map((check) =>
          check.kind !== 'http' || check.tls?.password === undefined
            ? check
            : { ...check, tls: { ...check.tls, password: HIDDEN } },
        ),
      })),
    })),
  };
}

/** What agents are told has passwords among it, by names that each of them chooses. */
const withoutParameters = ({ devices, ...rest }: FencingSettings): FencingSettings => ({
  ...rest,
  devices: devices.map((device) => ({
    ...device,
    parameters: Object.fromEntries(Object.keys(device.parameters).map((name) => [name, HIDDEN])),
  })),
});
