import type { Destination, Service } from '../../../src/core/balance/model.ts';
import { ip } from '../../../src/core/ip.ts';

export const SERVICE: Service = {
  key: { kind: 'address', protocol: 'tcp', address: ip('10.0.0.1'), port: 80 },
  scheduler: 'wlc',
  flags: 0,
  persistence: 0,
  granularity: 32,
};

/** The real server 10.0.1.`last`. */
export const server = (last: number, weight = 1): Destination => ({
  address: ip(`10.0.1.${last}`),
  port: 80,
  method: 'nat',
  weight,
  upper: 0,
  lower: 0,
});
