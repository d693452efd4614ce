import { enclose } from '../lab/engine/enclosed.ts';
import type { Flavour } from './segment.ts';
import { bothWays } from './story.ts';
import { WITH_VMACS } from './vmac.ts';

/** Both directors have macvlans with the MAC address of VRID 7 for IPv6 (RFC 9568, 7.3). */
const FLAVOUR: Flavour = {
  name: 'VRRPv3 over IPv6 with VMACs',
  version: 3,
  advert: 0.2,
  sources: ['fe80::1', 'fe80::2'],
  vips: ['fe80::7', '2001:db8::100/64'],
  client: '2001:db8::9/64',
  vmac: true,
};

await enclose();
for (const test of bothWays(FLAVOUR, WITH_VMACS)) test.run();
