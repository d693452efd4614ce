import { enclose } from '../lab/engine/enclosed.ts';
import type { Flavour } from './segment.ts';
import { bothWays } from './story.ts';

/** VRRPv3 (RFC 9568) over IPv6: link-local sources, neighbour advertisements. */
const FLAVOUR: Flavour = {
  name: 'VRRPv3 over IPv6',
  version: 3,
  advert: 0.2,
  sources: ['fe80::1', 'fe80::2'],
  vips: ['fe80::100/64', 'fd00::100/64'],
};

await enclose();
for (const test of bothWays(FLAVOUR)) test.run();
