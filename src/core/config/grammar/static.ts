import { lines } from '../schema.ts';
import { addressLine } from './address.ts';
import { routeLine } from './route.ts';
import { ruleLine } from './rule.ts';

/** What is kept whatever state the instances are in. */
export const staticBlocks = {
  static_ipaddress: lines(
    'addresses kept from the start to the stop, and put back, without no_track',
    addressLine,
  ),
  static_routes: lines('routes kept from the start to the stop, and put back, without no_track', routeLine),
  static_rules: lines('rules kept from the start to the stop, and put back, without no_track', ruleLine),
};

/** What an instance keeps while it is master. */
export const masterLines = {
  virtual_routes: lines(
    'routes while master; one that somebody removes is put back, without no_track',
    routeLine,
  ),
  virtual_rules: lines(
    'rules while master; one that somebody removes is put back, without no_track',
    ruleLine,
  ),
};
