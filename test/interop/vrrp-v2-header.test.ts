import { enclose } from '../lab/engine/enclosed.ts';
import type { Flavour } from './segment.ts';
import { bothWays, WITH_UNKNOWN_SENDERS } from './story.ts';

/** VRRPv2 behind an authentication header (RFC 2338, 5.3.6): keepalived's `auth_type AH`. */
const FLAVOUR: Flavour = {
  name: 'VRRPv2 behind an authentication header',
  version: 2,
  advert: 1,
  password: 'secret42',
  authentication: 'AH',
  sources: ['10.0.0.1', '10.0.0.2'],
  vips: ['10.0.0.100/24', '10.0.0.101/24'],
};

await enclose();
for (const test of bothWays(FLAVOUR, WITH_UNKNOWN_SENDERS)) test.run();
