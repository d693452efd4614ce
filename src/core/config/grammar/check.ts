import * as arg from '../arguments.ts';
import { type Argument, block, flag, keyword, unexpected } from '../schema.ts';
import { identity } from './tracking.ts';

const U32 = 4_294_967_295;
const I32 = 2_147_483_647;
/** The longest period that is accepted: keepalived's timers hold microseconds in 32 bits of seconds. */
const LONGEST = 4_294;

/** The keywords that every checker with a schedule has (keepalived: check/check_api.c, set B). */
export const schedule = {
  retry: keyword('further tries before the server is down', [arg.integer('N', 0, U32)], {
    default: "the server's, else 1; DNS_CHECK 3, MISC_CHECK 0",
  }),
  delay_before_retry: keyword('pause between tries', [arg.timer(0, LONGEST)], {
    default: "the server's, else 1; HTTP_GET and SSL_GET 3, DNS_CHECK delay_loop",
  }),
  warmup: keyword('the first check starts within this', [arg.timer(0, LONGEST)], { default: 'delay_loop' }),
  delay_loop: keyword('period of the checks', [arg.timer(0.000001, LONGEST)], {
    default: "the server's, else 60",
  }),
  alpha: keyword('down until the first success', [arg.bool], { default: "the server's" }),
  log_all_failures: keyword('log the failures of a server that is down, too', [arg.bool], { default: 'off' }),
};

/** The keywords of a checker that connects somewhere (set A). */
export const connection = {
  connect_ip: keyword('address to probe', [arg.address], { default: "the server's" }),
  connect_port: keyword('port to probe', [arg.port], { default: "the server's" }),
  bindto: keyword('source address', [arg.address], { default: 'any' }),
  bind_port: keyword('source port', [arg.port], { default: 'any' }),
  bind_if: keyword('source interface', [arg.interfaceName], { default: 'any' }),
  connect_timeout: keyword('limit for the answer', [arg.timer(0.000001, LONGEST)], {
    default: "the server's, else 5",
  }),
  fwmark: keyword('mark of the probe packets', [arg.integer('N', 0, U32)], { default: '0' }),
};

/** Pairs of hexadecimal digits; `X` stands for any digit where `wildcards`. */
const hex = (wildcards: boolean): Argument<string> => ({
  syntax: 'HEX',
  expects: `pairs of hexadecimal digits${wildcards ? ', X for any digit' : ''}`,
  read(words) {
    const word = words.take();
    if (word === undefined) return words.fault(`needs HEX: ${this.expects}`);
    const pattern = wildcards ? /^([0-9a-fxX]{2})+$/i : /^([0-9a-f]{2})+$/i;
    return pattern.test(word.text) ? word.text.toLowerCase() : unexpected(words, word, this);
  },
});
const length = [arg.integer('N', 0, 65_535)] as const;

/** `UDP_CHECK` (keepalived: check/check_udp.c). */
const udpCheck = {
  ...connection,
  ...schedule,
  payload: keyword('the datagram', [hex(false)], { default: 'a few bytes' }),
  require_reply: keyword('a reply must come, and begin so', [arg.optional(hex(true))], { default: 'off' }),
  min_reply_length: keyword('least length of the reply', length, { default: '0' }),
  max_reply_length: keyword('greatest length of the reply', length, { default: '255' }),
};

/** `SMTP_CHECK` (keepalived: check/check_smtp.c). Its port is the server's, not 25. */
const smtpCheck = {
  ...connection,
  ...schedule,
  helo_name: keyword('name in HELO', [arg.text('NAME')], { default: 'smtpchecker.keepalived.org' }),
  host: block(
    'several targets in one check',
    [],
    { ...connection, ...schedule },
    {
      repeat: true,
      deprecated: 'write an SMTP_CHECK for each target',
    },
  ),
};

const RECORDS = ['A', 'NS', 'CNAME', 'SOA', 'MX', 'TXT', 'AAAA', 'RRSIG', 'DNSKEY'] as const;

/** `DNS_CHECK` (keepalived: check/check_dns.c). */
const dnsCheck = {
  ...connection,
  ...schedule,
  type: keyword('query type', [arg.choice(...RECORDS)], { default: 'SOA' }),
  name: keyword('query name', [arg.text('DOMAIN', 255)], { default: 'the root' }),
};

/** `MISC_CHECK` (keepalived: check/check_misc.c). */
const miscCheck = {
  ...schedule,
  misc_path: keyword('the command; good when it exits with 0', [arg.command]),
  misc_timeout: keyword('a run that takes longer is ended, and has failed', [arg.wholeSeconds(0, LONGEST)], {
    default: 'delay_loop',
  }),
  misc_dynamic: flag('exit statuses from 2 to 255 set the weight: that less 2'),
  user: keyword('who runs it', identity, { default: 'script_user' }),
};

/** `FILE_CHECK` (keepalived: check/check_file.c). */
const fileCheck = {
  track_file: keyword('the name of a track_file', [arg.text('NAME')]),
  weight: keyword(
    'times the number in the file is added to the weight',
    [arg.integer('N', -I32, I32), arg.optional(arg.choice('reverse', 'noreverse'))],
    { default: "the file's" },
  ),
};

/** `BFD_CHECK` (keepalived: check/check_bfd.c). */
const bfdCheck = {
  name: keyword('the name of a bfd_instance', [arg.text('NAME')]),
  alpha: keyword('down until the session is up', [arg.bool], { default: 'off' }),
};

const check = { repeat: true } as const;

/** All checkers but TCP_CHECK and those of HTTP, which `grammar/http.ts` has. */
export const otherChecks = {
  UDP_CHECK: block('a datagram raises no ICMP error, or is answered', [], udpCheck, check),
  PING_CHECK: block('an ICMP echo is answered', [], { ...connection, ...schedule }, check),
  SMTP_CHECK: block('a mail server greets and answers HELO', [], smtpCheck, check),
  DNS_CHECK: block('a name server answers a query', [], dnsCheck, check),
  MISC_CHECK: block('a script succeeds', [], miscCheck, check),
  FILE_CHECK: block('a number from a file adds to the weight', [], fileCheck, check),
  BFD_CHECK: block('a BFD session is up', [], bfdCheck, check),
};
