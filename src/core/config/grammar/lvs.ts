import { BULK_PORT, SYNC_ALARM } from '../../sync/settings.ts';
import { LVS_SYSCTL_NAMES } from '../../sync/sysctls.ts';
import * as arg from '../arguments.ts';
import { flag, keyword } from '../schema.ts';

const INT_MAX = 2_147_483_647;

/** Of `global_defs`, what concerns the kernel's IPVS as a whole. */
export const lvsDefs = {
  lvs_timeouts: keyword(
    'IPVS connection timeouts; 0 leaves one as it is',
    [arg.options({ tcp: timeout(), tcpfin: timeout(), udp: timeout() })],
    { default: "the kernel's" },
  ),
  lvs_flush: flag('empty the IPVS table at the start'),
  lvs_flush_on_stop: keyword(
    'empty the IPVS table at the stop; VS: remove our own services only, as is done anyway',
    [arg.optional(arg.choice('VS'))],
  ),
  lvs_flush_onstop: keyword('see lvs_flush_on_stop', [arg.optional(arg.choice('VS'))], {
    alias: 'lvs_flush_on_stop',
    deprecated: 'write lvs_flush_on_stop',
  }),
  lvs_sync_daemon: keyword('IPVS connection sync; follows the VRRP instance, else runs both roles', [
    arg.interfaceName,
    syncOptions(),
  ]),
  lvs_bulk_port: keyword(
    'UDP port, in the group of lvs_sync_daemon and at the addresses of heartbeat, by which a director that becomes ' +
      'backup gets a copy of the whole connection table, and compares it; it needs a heartbeat block; 0 for none',
    [arg.integer('PORT', 0, 65_535)],
    { default: `${BULK_PORT}`, ours: true },
  ),
  lvs_sync_alarm: keyword(
    'percent of established connections: a backup looks each few seconds what a failover now would lose; more is an ' +
      'alarm, in the log and for who is told of alarms; 0 for never',
    [arg.integer('PERCENT', 0, 100)],
    { default: `${SYNC_ALARM}`, ours: true },
  ),
  lvs_sysctl: keyword(
    'a setting of IPVS (net.ipv4.vs.NAME), put back at the stop; sync_threshold has two values',
    [
      arg.choice(...LVS_SYSCTL_NAMES),
      arg.integer('VALUE', 0, INT_MAX),
      arg.optional(arg.integer('VALUE', 0, INT_MAX)),
    ],
    { repeat: true, ours: true },
  ),
};

function timeout() {
  return arg.integer('SECS', 0, 2_678_400);
}

/** `lvs_sync_daemon IF [[inst] VRRP] [id N] [maxlen N] [port N] [ttl N] [group ADDR]`. */
function syncOptions() {
  return arg.options(
    {
      inst: arg.text('VRRP'),
      id: arg.integer('N', 0, 255),
      maxlen: arg.integer('N', 1, 65_507),
      port: arg.port,
      ttl: arg.integer('N', 1, 255),
      group: arg.multicast,
    },
    'inst',
  );
}
