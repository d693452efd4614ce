import * as arg from '../arguments.ts';
import { block, flag, keyword, lines } from '../schema.ts';
import { addressLine } from './address.ts';
import { authenticationBlocks } from './authentication.ts';
import { takeoverKeywords } from './fence.ts';
import { POLLING } from './interfaces.ts';
import { notifyKeywords } from './notify.ts';
import { masterLines } from './static.ts';
import { trackLists } from './tracking.ts';
import { unicastKeywords } from './unicast.ts';
import { vmacKeywords } from './vmac.ts';

const U32 = 4_294_967_295;

const repeat = arg.integer('N', 0, U32);
const script = [arg.script] as const;

/** `vrrp_instance` (keepalived: vrrp/vrrp_parser.c). */
export const vrrpInstance = {
  ...vmacKeywords,
  interface: keyword('the interface of the adverts, and of VIPs without dev', [arg.interfaceName]),
  vrf: keyword('adverts through a VRF, where no interface is given', [arg.interfaceName]),
  state: keyword('the wished state at the start', [arg.choice('MASTER', 'BACKUP')], {
    default: 'by priority',
  }),
  virtual_router_id: keyword('VRID', [arg.integer('N', 1, 255)], { beyond: 'error' }),
  priority: keyword('base priority; 255 is the address owner', [arg.integer('N', 1, 255)], {
    default: '100; 255 with state MASTER',
    beyond: 100,
  }),
  version: keyword('protocol version', [arg.integer('2|3', 2, 3)], { default: 'vrrp_version; 3 for IPv6' }),
  advert_int: keyword('advertisement interval', [arg.timer(0.01, 255)], { default: '1' }),
  virtual_ipaddress: lines('addresses that are advertised, and installed while master', addressLine),
  virtual_ipaddress_excluded: lines('installed, not advertised; any family', addressLine),
  no_virtual_ipaddress: flag('an instance without VIP is meant'),
  ...masterLines,
  promote_secondaries: flag(
    'an address that goes does not take others of its subnet along: sets the sysctl of the interface',
  ),
  ...unicastKeywords,
  mcast_src_ip: keyword('source of multicast adverts', [arg.address], { default: "the interface's first" }),
  mcast_dst_ip: keyword('multicast group', [arg.multicast], { default: "the global one's" }),
  track_src_ip: flag('FAULT when the source address is gone; so it is without this word, too'),
  native_ipv6: flag('IPv6; else the family is that of the VIPs'),
  dont_track_primary: flag('the interface may be down: only its source address matters'),
  ...trackLists,
  linkbeat_use_polling: flag('poll the interface', { ...POLLING, deprecated: 'leave it out' }),
  v3_checksum_as_v2: keyword('version 3 over IPv4: checksum without the pseudo header', [arg.bool], {
    default: "the global one's",
  }),
  accept: flag('answer on VIPs though not owner', { default: 'on; off in strict mode' }),
  no_accept: flag('drop traffic to and from the VIPs, by nftables', { default: 'off' }),
  skip_check_adv_addr: keyword('a backup compares no addresses in adverts of its master', [arg.bool], {
    default: "the global one's",
  }),
  strict_mode: keyword('RFC conformance', [arg.bool], { default: 'vrrp_strict' }),
  preempt: flag('take over from a lower priority', { default: 'on' }),
  nopreempt: flag('do not take over from a lower priority', { default: 'off' }),
  preempt_delay: keyword('how long a lesser master is left alone', [arg.timer(0, 1000)], { default: '0' }),
  preempt_after_sync: keyword(
    'leave a lesser master alone until the connection table has all that its has, so many seconds at most; ' +
      'it needs lvs_sync_daemon and heartbeat (lvs_bulk_port)',
    [arg.optional(arg.integer('SECONDS', 1, 3600))],
    { default: 'off; 60 seconds', ours: true },
  ),
  debug: keyword('stored, unused', [arg.optional(arg.integer('N', 0, 4))], {
    inert: 'it has no effect in keepalived either',
  }),
  ...notifyKeywords,
  notify_deleted: keyword('run when a reload removes it; notify, FIFOs and mails hear DELETED, not FAULT', [
    arg.optional(arg.script),
  ]),
  notify_master_rx_lower_pri: keyword('run when a lower master is heard', script),
  lvs_sync_daemon_interface: keyword('use lvs_sync_daemon of global_defs', [arg.interfaceName], {
    deprecated: 'write lvs_sync_daemon in global_defs',
    inert: 'global_defs has lvs_sync_daemon, which names the instance that it follows',
  }),
  garp_master_delay: keyword('delay of the second burst of GARP; 0 for none', [arg.wholeSeconds(0, U32)], {
    default: "the global one's",
  }),
  garp_master_repeat: keyword('GARP frames an address in a burst; 0 counts as 1', [repeat], {
    default: "the global one's",
  }),
  garp_master_refresh: keyword('period of GARP while master; 0 for none', [arg.wholeSeconds(0, U32)], {
    default: "the global one's",
  }),
  garp_master_refresh_repeat: keyword('GARP frames an address in a refresh; 0 counts as 1', [repeat], {
    default: "the global one's",
  }),
  garp_lower_prio_delay: keyword(
    'second burst after a lesser master was heard; 0 for none',
    [arg.wholeSeconds(0, U32)],
    { default: "the global one's" },
  ),
  garp_lower_prio_repeat: keyword('GARP frames an address after a lesser master was heard', [repeat], {
    default: "the global one's",
  }),
  garp_extra_if: keyword(
    'period of GARP for VIPs on VMACs that send no adverts; all: and on other interfaces; 0 for none',
    [arg.extraInterfaces(0)],
    { default: "the global one's" },
  ),
  vmac_garp_intvl: keyword('see garp_extra_if', [arg.extraInterfaces(0)], {
    alias: 'garp_extra_if',
    deprecated: 'write garp_extra_if',
  }),
  down_timer_adverts: keyword('missed adverts before takeover', [arg.integer('N', 1, 100)], { default: '3' }),
  timer_expired_backup: keyword('stay backup on a late timer', [arg.optional(arg.integer('N', 1, 254))], {
    inert: 'a late timer never makes a master: what waits in the socket is read first',
  }),
  thread_timer_expired: keyword('old spelling', [arg.optional(arg.integer('N', 1, 254))], {
    inert: 'a late timer never makes a master: what waits in the socket is read first',
    deprecated: 'write timer_expired_backup',
  }),
  lower_prio_no_advert: keyword('do not answer a lower advert', [arg.bool], { default: 'off' }),
  higher_prio_send_advert: keyword('a last advert when giving way', [arg.bool], {
    default: "the global one's",
  }),
  owner_ignore_adverts: keyword('an address owner takes no notice of others', [arg.bool], {
    default: "the global one's",
  }),
  kernel_rx_buf_size: keyword('receive buffer', [arg.integer('N', 1, U32)], {
    inert: 'the socket holds the adverts of thousands of routers as it is',
  }),
  ...authenticationBlocks,
  ...takeoverKeywords,
  vip_lease: keyword(
    'lifetime of the addresses in the kernel, renewed with the adverts: a dead daemon loses the VIP',
    [arg.integerOr('SECS', 1, 3600, ['off'])],
    {
      ours: true,
      default: 'the longest that ends before a peer takes over: 2 for advert_int 1; off where none does',
    },
  ),
};

export const vrrpInstanceBlock = block('one virtual router', [arg.text('NAME')], vrrpInstance, {
  repeat: true,
});
