import * as arg from '../arguments.ts';
import { block, flag, keyword, laterBlock } from '../schema.ts';
import { globalDefs } from './global.ts';
import { virtualServerBlock } from './virtual.ts';
import { vrrpInstanceBlock } from './vrrp.ts';

const later = (why: string) => ({ unsupported: `this version does not have it yet, and ${why}` });

/** The whole language: what may stand outside blocks. */
export const root = {
  linkbeat_use_polling: flag('poll every interface for its link', {
    inert: 'link changes are always noticed',
  }),
  net_namespace: keyword(
    'run in that network namespace',
    [arg.text('NAME')],
    later('would touch the wrong network'),
  ),
  net_namespace_ipvs: keyword(
    'namespace of the IPVS work',
    [arg.optional(arg.text('NAME'))],
    later('would touch the wrong IPVS table'),
  ),
  namespace_with_ipsets: flag('allow ipsets with namespaces', { inert: 'ipsets are not used' }),
  use_pid_dir: flag('pid files in their own folder', { inert: 'not acted on yet' }),
  instance: keyword('names this copy of the daemon', [arg.text('NAME')], { inert: 'not acted on yet' }),
  child_wait_time: keyword('wait for children at the stop', [arg.wholeSeconds(0, 4_294_967_295)], {
    inert: 'not acted on yet',
  }),
  global_defs: block('settings of the whole daemon', [], globalDefs),
  vrrp_instance: vrrpInstanceBlock,
  virtual_server: virtualServerBlock,
  linkbeat_interfaces: laterBlock('interfaces polled for their link'),
  interface_up_down_delays: laterBlock('debounce of link changes'),
  garp_group: laterBlock('rate limit for GARP'),
  static_ipaddress: laterBlock('addresses kept always'),
  static_routes: laterBlock('routes kept always'),
  static_rules: laterBlock('rules kept always'),
  track_group: laterBlock('instances that fault with a static item'),
  track_file: laterBlock('a number from a file'),
  vrrp_track_file: laterBlock('a number from a file'),
  vrrp_track_process: laterBlock('watched processes'),
  vrrp_script: laterBlock('a health script'),
  vrrp_sync_group: laterBlock('instances that move together'),
  bfd_instance: laterBlock('a BFD session'),
  SSL: laterBlock('client TLS material'),
  virtual_server_group: laterBlock('a set of addresses or marks'),
};
