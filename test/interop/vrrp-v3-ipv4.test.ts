import { enclose } from '../lab/engine/enclosed.ts';
import type { Flavour } from './segment.ts';
import { bothWays } from './story.ts';

/** VRRPv3 (RFC 9568) over IPv4: adverts in hundredths of a second, a checksum with a pseudo header. */
const FLAVOUR: Flavour = {
  name: 'VRRPv3 over IPv4',
  version: 3,
  advert: 0.2,
  sources: ['10.0.0.1', '10.0.0.2'],
  vips: ['10.0.0.100/24', '10.0.0.101/24'],
};

await enclose();
for (const test of bothWays(FLAVOUR)) test.run();
