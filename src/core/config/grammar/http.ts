import * as arg from '../arguments.ts';
import { type Argument, block, flag, keyword, unexpected } from '../schema.ts';
import { connection, schedule } from './check.ts';

const U32 = 4_294_967_295;
const size = arg.integer('BYTES', 0, U32);

/** A status code or a range of them. */
const statusCodes: Argument<{ readonly first: number; readonly last: number }> = {
  syntax: 'CODE|FIRST-LAST',
  expects: 'a status from 100 to 599, or two with a hyphen',
  read(words) {
    const word = words.take();
    if (word === undefined) return words.fault(`needs ${this.syntax}: ${this.expects}`);
    const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(word.text);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    return last >= first ? { first, last } : unexpected(words, word, this);
  },
};

const digest: Argument<string> = {
  syntax: 'MD5',
  expects: 'an MD5 sum of 32 hexadecimal digits',
  read(words) {
    const word = words.take();
    if (word === undefined) return words.fault(`needs MD5: ${this.expects}`);
    return /^[0-9a-f]{32}$/i.test(word.text) ? word.text.toLowerCase() : unexpected(words, word, this);
  },
};

/** PCRE2's compile options. */
const REGEX_OPTIONS = [
  ...['allow_empty_class', 'alt_bsux', 'alt_circumflex', 'alt_verbnames', 'auto_callout', 'caseless'],
  ...['dollar_endonly', 'dotall', 'dupnames', 'extended', 'firstline', 'match_unset_backref', 'multiline'],
  ...['never_backslash_c', 'never_ucp', 'never_utf', 'no_auto_capture', 'no_auto_possess'],
  ...['no_dotstar_anchor', 'no_start_optimize', 'ucp', 'ungreedy', 'use_offset_limit', 'utf'],
] as const;

/** The rest of the line as the pattern; read by the tokeniser that knows escapes. */
const pattern: Argument<string> = { ...arg.text('PATTERN'), escapes: true };

export const url = {
  path: keyword('the path of the request', [arg.text('PATH')]),
  digest: keyword('MD5 of the body (vipkeeper genhash prints it)', [digest]),
  status_code: keyword('statuses that are good', [arg.rest(statusCodes, 1)], { default: '200-299' }),
  virtualhost: keyword('Host header', [arg.text('NAME')], { default: "the checker's" }),
  regex: keyword('the response must match', [pattern]),
  regex_no_match: flag('the response must not match'),
  regex_options: keyword('PCRE2 options', [arg.rest(arg.choice(...REGEX_OPTIONS), 1)]),
  regex_min_offset: keyword('a match begins at this byte or after', [size], { default: '0' }),
  regex_max_offset: keyword('a match begins before this byte', [size]),
  regex_stack: keyword('stack of the matcher, at first and at most', [size, size], {
    inert: 'the matcher needs no stack of its own; a pattern that backtracks without end is given up',
  }),
};
const secureUrl = {
  ...url,
  tls_compliant: keyword('say goodbye as TLS has it', [arg.bool], { default: "the checker's" }),
};

/** `HTTP_GET` (keepalived: check/check_http.c). */
const httpGet = {
  ...connection,
  ...schedule,
  nb_get_retry: keyword('tries', [arg.integer('N', 0, U32)], { alias: 'retry', deprecated: 'write retry' }),
  virtualhost: keyword('Host header', [arg.text('NAME')], { default: "the server's, else its address" }),
  http_protocol: keyword('version of the request', [arg.anyCase('1.0', '1.0C', '1.1')], { default: '1.0' }),
  enable_sni: keyword('send the name in the TLS handshake', [arg.bool], { default: 'off' }),
  sni_name: keyword('that name', [arg.text('NAME')], { default: 'virtualhost' }),
  fast_recovery: keyword('all URLs at once when the server comes back', [arg.bool], { default: 'off' }),
};
const check = { repeat: true } as const;
const request = 'one request; all of them must succeed';

export const httpChecks = {
  HTTP_GET: block(
    'HTTP requests succeed',
    [],
    { ...httpGet, url: block(request, [], url, { repeat: true }) },
    check,
  ),
  SSL_GET: block(
    'HTTPS requests succeed; the certificate is not verified unless tls_verify says so',
    [],
    {
      ...httpGet,
      tls_compliant: keyword('say goodbye as TLS has it', [arg.bool], { default: 'off' }),
      tls_verify: keyword('the certificate must be valid, and for the name', [arg.bool], {
        default: 'off',
        ours: true,
      }),
      url: block(request, [], secureUrl, { repeat: true }),
    },
    check,
  ),
};

const file = [arg.text('FILE')] as const;

/** `SSL`: what `SSL_GET` shows of itself. */
export const sslBlock = block('client certificate for SSL_GET', [], {
  password: keyword('passphrase of the key', [arg.text('TEXT')], { secret: 0 }),
  ca: keyword("authorities that tls_verify trusts instead of the system's", file),
  certificate: keyword('certificate', file),
  key: keyword('its key', file),
});
