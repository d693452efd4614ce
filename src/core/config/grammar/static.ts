import { lines } from '../schema.ts';
import { addressLine } from './address.ts';
import { routeLine } from './route.ts';
import { ruleLine } from './rule.ts';

const notYet = (what: string) => ({ inert: `${what} are not set yet: set them with the system's own means` });

/** What is kept whatever state the instances are in. */
export const staticBlocks = {
  static_ipaddress: lines('addresses kept from the start to the stop', addressLine, notYet('addresses')),
  static_routes: lines('routes kept from the start to the stop', routeLine, notYet('routes')),
  static_rules: lines('rules kept from the start to the stop', ruleLine, notYet('rules')),
};

/** What an instance keeps while it is master. */
export const masterLines = {
  virtual_routes: lines('routes while master', routeLine, {
    inert: 'routes are not set yet: a notify script can',
  }),
  virtual_rules: lines('rules while master', ruleLine, {
    inert: 'rules are not set yet: a notify script can',
  }),
};
