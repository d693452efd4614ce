import { enclose } from '../lab/engine/enclosed.ts';
import type { Flavour } from './segment.ts';
import { bothWays } from './story.ts';

/** VRRPv2 (RFC 3768), as most installations run it. */
const FLAVOUR: Flavour = {
  name: 'VRRPv2',
  version: 2,
  advert: 1,
  sources: ['10.0.0.1', '10.0.0.2'],
  vips: ['10.0.0.100/24', '10.0.0.101/24'],
};

await enclose();
for (const test of bothWays(FLAVOUR)) test.run();
