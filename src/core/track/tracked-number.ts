const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);
/** As C's strtol reads it with base 0: 0x for hexadecimal, a leading 0 for octal. What follows has no effect. */
const NUMBER = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)/;

/**
 * The number of a tracked file (keepalived's `track_file`): 0 when the text has none, `undefined` when it does not
 * fit 32 bits and is to be ignored.
 */
export function trackedNumber(text: string): number | undefined {
  const [, sign = '', digits = '0'] = NUMBER.exec(text) ?? [];
  const value = (sign === '-' ? -1 : 1) * magnitude(digits);
  return value >= INT32_MIN && value <= INT32_MAX ? value : undefined;
}

function magnitude(digits: string): number {
  if (/^0[xX]/.test(digits)) return Number.parseInt(digits, 16);
  if (!digits.startsWith('0')) return Number.parseInt(digits, 10);
  // Octal up to the first digit that is none.
  return Number.parseInt(/^[0-7]+/.exec(digits)?.[0] ?? '0', 8);
}
