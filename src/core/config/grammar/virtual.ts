import * as arg from '../arguments.ts';
import { block, flag, keyword } from '../schema.ts';
import { checkers } from './checkers.ts';
import { serviceHeader, servicePort } from './service.ts';

const U32 = 4_294_967_295;
const I32 = 2_147_483_647;
const LONGEST = 4_294;
const SNMP = { inert: 'there is no SNMP agent: vipkeeper status --json has the figures' };

const SCHEDULERS = [
  ...['rr', 'wrr', 'lc', 'wlc', 'lblc', 'sh', 'mh', 'dh', 'fo', 'ovf', 'lblcr', 'sed', 'nq', 'twos'],
] as const;
const scheduler = arg.choice(...SCHEDULERS);
const method = arg.anyCase('NAT', 'DR', 'TUN');
const timer = arg.timer(0.000001, LONGEST);
const SLOW_START =
  'a server that is back, by its check or by the operator, begins with little weight and has all of it after this ' +
  'time; by whole numbers, so that a weight of 1 has no steps: give servers weights of 10 or more';
const slowStart = arg.timer(0, LONGEST);
const optionalBool = [arg.bool] as const;
const forwarding = [method, arg.tunnelOptions] as const;

/** `real_server` (keepalived: check/check_parser.c). */
export const realServer = {
  weight: keyword('IPVS weight', [arg.integer('N', 0, I32)], { default: "the service's" }),
  lvs_method: keyword('forwarding', forwarding, { default: "the service's" }),
  uthreshold: keyword('upper connection limit', [arg.integer('N', 0, U32)], { default: '0' }),
  lthreshold: keyword('lower connection limit', [arg.integer('N', 0, U32)], { default: '0' }),
  inhibit_on_failure: keyword('weight 0 instead of removal', optionalBool, { default: "the service's" }),
  notify_up: keyword('run when up', [arg.script]),
  notify_down: keyword('run when down', [arg.script]),
  alpha: keyword('down until the first success', optionalBool, { default: "the service's" }),
  retry: keyword('default for its checkers', [arg.integer('N', 1, U32)], { default: "the service's" }),
  delay_before_retry: keyword('default for its checkers', [arg.timer(0, LONGEST)], {
    default: "the service's",
  }),
  warmup: keyword('default for its checkers', [arg.timer(0, LONGEST)], { default: "the service's" }),
  connect_timeout: keyword('default for its checkers', [timer], { default: "the service's" }),
  delay_loop: keyword('default for its checkers', [timer], { default: "the service's" }),
  smtp_alert: keyword('mails for this server', optionalBool),
  virtualhost: keyword('Host header of HTTP checks', [arg.text('NAME')]),
  snmp_name: keyword('name shown in SNMP', [arg.text('NAME')], SNMP),
  slow_start: keyword(SLOW_START, [slowStart], {
    default: "the service's",
    ours: true,
  }),
  maintenance: keyword(
    'drained from these times on for so long, or weighing no more than N: times as in crontab(5), with seconds ' +
      'before them if there are six words, in the time zone of the host',
    [arg.text('CRON'), arg.lengthOfTime('1s', '7d'), arg.options({ weight: arg.integer('N', 0, I32) })],
    { repeat: true, ours: true },
  ),
  ...checkers,
};

/** `virtual_server` (keepalived: check/check_parser.c). */
export const virtualServer = {
  ip_family: keyword('family of a fwmark service', [arg.choice('inet', 'inet6')]),
  retry: keyword('default for checkers', [arg.integer('N', 1, U32)]),
  delay_before_retry: keyword('default for checkers', [arg.timer(0, LONGEST)]),
  warmup: keyword('default for checkers', [arg.timer(0, LONGEST)], { default: 'delay_loop' }),
  connect_timeout: keyword('default for checkers', [timer], { default: '5' }),
  delay_loop: keyword('default for checkers', [timer], { default: '60' }),
  inhibit_on_failure: keyword('a failed server gets weight 0, is not removed', optionalBool, {
    default: 'off',
  }),
  lvs_sched: keyword('scheduler', [scheduler], { default: 'wlc' }),
  lb_algo: keyword('scheduler', [scheduler], { default: 'wlc', alias: 'lvs_sched' }),
  hashed: flag('no effect, as in keepalived', { inert: 'it has no effect in keepalived either' }),
  ops: flag('one-packet scheduling, UDP only'),
  'flag-1': flag('scheduler flag 1'),
  'flag-2': flag('scheduler flag 2'),
  'flag-3': flag('scheduler flag 3'),
  'sh-port': flag('the hash includes the port; scheduler sh'),
  'sh-fallback': flag('another server when the hashed one is down; scheduler sh'),
  'mh-port': flag('the hash includes the port; scheduler mh'),
  'mh-fallback': flag('another server when the hashed one is down; scheduler mh'),
  lvs_method: keyword('forwarding', forwarding, { default: 'NAT' }),
  lb_kind: keyword('forwarding', forwarding, { default: 'NAT', alias: 'lvs_method' }),
  persistence_engine: keyword('persistence engine', [arg.choice('sip')]),
  persistence_timeout: keyword(
    'a client stays with its server',
    [arg.optional(arg.integer('SECS', 1, 2_678_400))],
    {
      default: '360 when the keyword stands alone',
    },
  ),
  persistence_granularity: keyword(
    'which clients stay together; sets persistence_timeout 360',
    [arg.granularity],
    {
      default: 'each client for itself',
    },
  ),
  protocol: keyword('transport', [arg.anyCase('TCP', 'UDP', 'SCTP')], { default: 'UDP, with a warning' }),
  ha_suspend: flag('check only while this host has the virtual address'),
  smtp_alert: keyword('quorum mails', optionalBool),
  virtualhost: keyword('Host header of HTTP checks', [arg.text('NAME')]),
  snmp_name: keyword('name shown in SNMP', [arg.text('NAME')], SNMP),
  alpha: flag('servers are down until their first success'),
  omega: flag('run the down scripts at the stop'),
  quorum_up: keyword('run when the quorum is gained', [arg.script]),
  quorum_down: keyword('run when the quorum is lost', [arg.script]),
  quorum: keyword('alive weight that is needed', [arg.integer('N', 1, I32)], { default: '1', beyond: 1 }),
  hysteresis: keyword('margin around the quorum', [arg.integer('N', 0, I32)], { default: '0' }),
  min_up: keyword('checks leave at least this share of the real servers in service', [arg.percent], {
    ours: true,
  }),
  weight: keyword('default weight of real servers', [arg.integer('N', 1, I32)], { default: '1' }),
  slow_start: keyword(SLOW_START, [slowStart], {
    default: '0',
    ours: true,
  }),
  sorry_server: keyword('serves when the quorum is lost', [arg.address, servicePort]),
  sorry_server_inhibit: flag('the sorry server stays, with weight 0 while the quorum holds'),
  sorry_server_lvs_method: keyword("the sorry server's forwarding", forwarding, { default: "the service's" }),
  real_server: block('a backend', [arg.address, servicePort], realServer, { repeat: true }),
};

export const virtualServerBlock = block('an IPVS service', [serviceHeader], virtualServer, { repeat: true });
