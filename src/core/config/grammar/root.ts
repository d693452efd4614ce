import * as arg from '../arguments.ts';
import { block, flag, keyword } from '../schema.ts';
import { bfdInstanceBlock } from './bfd.ts';
import { clusterBlocks } from './cluster.ts';
import { fenceBlocks } from './fence.ts';
import { globalDefs } from './global.ts';
import { trackGroupBlock, vrrpSyncGroupBlock } from './group.ts';
import { sslBlock } from './http.ts';
import { interfaceBlocks, POLLING } from './interfaces.ts';
import { syncRelayBlock } from './relay.ts';
import { virtualServerGroupBlock } from './service.ts';
import { staticBlocks } from './static.ts';
import { trackFileBlock, vrrpScriptBlock, vrrpTrackFileBlock, vrrpTrackProcessBlock } from './tracking.ts';
import { virtualServerBlock } from './virtual.ts';
import { vrrpInstanceBlock } from './vrrp.ts';

/** The whole language: what may stand outside blocks. */
export const root = {
  linkbeat_use_polling: flag('poll every interface for its link', POLLING),
  net_namespace: keyword('run in that network namespace (ip netns); -s goes before it', [arg.fileName]),
  net_namespace_ipvs: keyword(
    'network namespace of the IPVS table; the one that the daemon is started in, without a name',
    [arg.optional(arg.fileName)],
    { default: "the daemon's" },
  ),
  namespace_with_ipsets: flag('allow ipsets with namespaces', {
    inert: 'the rules are made with nftables, in which namespaces are no matter',
  }),
  use_pid_dir: flag('pid files in their own folder', {
    inert: 'the run directory (--run-dir) has them always',
  }),
  instance: keyword('names this copy of the daemon', [arg.text('NAME')], {
    inert: 'give each copy a run directory and a state directory of its own (--run-dir, --state-dir)',
  }),
  child_wait_time: keyword('wait for children at the stop', [arg.wholeSeconds(0, 4_294_967_295)], {
    default: '5',
  }),
  global_defs: block('settings of the whole daemon', [], globalDefs),
  vrrp_instance: vrrpInstanceBlock,
  virtual_server: virtualServerBlock,
  virtual_server_group: virtualServerGroupBlock,
  SSL: sslBlock,
  vrrp_sync_group: vrrpSyncGroupBlock,
  vrrp_script: vrrpScriptBlock,
  vrrp_track_process: vrrpTrackProcessBlock,
  track_file: trackFileBlock,
  vrrp_track_file: vrrpTrackFileBlock,
  track_group: trackGroupBlock,
  bfd_instance: bfdInstanceBlock,
  sync_relay: syncRelayBlock,
  ...clusterBlocks,
  ...fenceBlocks,
  ...interfaceBlocks,
  ...staticBlocks,
};
