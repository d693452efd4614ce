import { enclose } from '../lab/engine/enclosed.ts';
import type { Flavour } from './segment.ts';
import { bothWays, elections, story } from './story.ts';
import { fromBelow, WITH_VMACS } from './vmac.ts';

/** Both directors have macvlans with the MAC address of VRID 7 for IPv4 (RFC 9568, 7.3). */
const FLAVOUR: Flavour = {
  name: 'VRRPv3 over IPv4 with VMACs',
  version: 3,
  advert: 0.2,
  sources: ['10.0.0.1', '10.0.0.2'],
  vips: ['10.0.0.100/24', '10.0.0.101'],
  client: '10.0.0.9/24',
  vmac: true,
};

await enclose();
for (const test of bothWays(FLAVOUR, WITH_VMACS)) test.run();
const below = story(
  { ...FLAVOUR, name: 'VRRPv3 over IPv4, adverts from below the VMACs', lines: ['  vmac_xmit_base'] },
  ['vipkeeper', 'keepalived'],
  [elections, fromBelow],
);
below.run();
