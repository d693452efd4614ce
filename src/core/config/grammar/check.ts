import * as arg from '../arguments.ts';
import { keyword, laterBlock } from '../schema.ts';

const U32 = 4_294_967_295;
/** The longest period that is accepted: keepalived's timers hold microseconds in 32 bits of seconds. */
const LONGEST = 4_294;
const NOT_YET = { inert: 'not acted on yet' };

/** The keywords that every checker with a schedule has (keepalived: check/check_api.c, set B). */
const schedule = {
  retry: keyword('further tries before the server is down', [arg.integer('N', 0, U32)], { default: '1' }),
  delay_before_retry: keyword('pause between tries', [arg.timer(0, LONGEST)], { default: '1' }),
  warmup: keyword('the first check starts within this', [arg.timer(0, LONGEST)], { default: 'delay_loop' }),
  delay_loop: keyword('period of the checks', [arg.timer(0.000001, LONGEST)], {
    default: "the server's, else 60",
  }),
  alpha: keyword('down until the first success', [arg.bool], { default: "the server's" }),
  log_all_failures: keyword('log each failure', [arg.bool], NOT_YET),
};

/** The keywords of a checker that connects somewhere (set A). */
const connection = {
  connect_ip: keyword('address to probe', [arg.address], { default: "the server's" }),
  connect_port: keyword('port to probe', [arg.port], { default: "the server's" }),
  bindto: keyword('source address', [arg.address], { default: 'any' }),
  bind_port: keyword('source port', [arg.port], { default: 'any' }),
  bind_if: keyword('source interface', [arg.interfaceName], NOT_YET),
  connect_timeout: keyword('limit for the answer', [arg.timer(0.000001, LONGEST)], {
    default: "the server's, else 5",
  }),
  fwmark: keyword('mark of the probe packets', [arg.integer('N', 0, U32)], NOT_YET),
};

/** `TCP_CHECK` (keepalived: check/check_tcp.c). */
export const tcpCheck = { ...connection, ...schedule };

/** The checkers of the next version. */
export const laterChecks = {
  HTTP_GET: laterBlock('HTTP probe'),
  SSL_GET: laterBlock('HTTPS probe'),
  UDP_CHECK: laterBlock('UDP probe'),
  PING_CHECK: laterBlock('ICMP echo'),
  SMTP_CHECK: laterBlock('SMTP dialogue'),
  DNS_CHECK: laterBlock('DNS query'),
  MISC_CHECK: laterBlock('external script'),
  FILE_CHECK: laterBlock('weight from a file'),
  BFD_CHECK: laterBlock('BFD session'),
};
