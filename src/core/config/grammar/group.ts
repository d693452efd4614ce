import * as arg from '../arguments.ts';
import { block, flag, lines } from '../schema.ts';
import { takeoverKeywords } from './fence.ts';
import { notifyKeywords } from './notify.ts';
import { trackLists } from './tracking.ts';

const members = lines('the names of its instances', arg.text('INSTANCE'), { several: true });

/** `vrrp_sync_group` (keepalived: vrrp/vrrp_parser.c). keepalived has no notify_deleted here. */
export const vrrpSyncGroup = {
  group: members,
  ...trackLists,
  ...notifyKeywords,
  ...takeoverKeywords,
  sync_group_tracking_weight: flag('members may have weighted trackers of their own'),
  global_tracking: flag('members may have weighted trackers of their own', {
    alias: 'sync_group_tracking_weight',
    deprecated: 'write sync_group_tracking_weight',
  }),
};
export const vrrpSyncGroupBlock = block(
  'instances that are master together or not at all',
  [arg.text('NAME')],
  vrrpSyncGroup,
  { repeat: true },
);

/** `track_group`: for `track_group NAME` on a line of static_ipaddress, static_routes or static_rules. */
export const trackGroup = { group: members };
export const trackGroupBlock = block(
  'instances that are in FAULT as long as a static item is not there',
  [arg.text('NAME')],
  trackGroup,
  { repeat: true },
);
