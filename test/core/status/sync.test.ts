import * as assert from 'uvu/assert';
import { syncLines } from '../../../src/app/synclines.ts';
import { ip } from '../../../src/core/ip.ts';
import type { SyncFacts } from '../../../src/core/status/facts.ts';
import { syncReport } from '../../../src/core/status/sync.ts';
import { instant } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('report of connection sync');

const NOW = instant(100e6);
const DAEMONS: SyncFacts = {
  role: 'backup',
  bulk: { port: 8849, rejected: {} },
  running: [
    {
      role: 'backup',
      interface: 'vksync',
      id: 51,
      group: ip('224.0.0.81'),
      port: 8848,
      ttl: 1,
      maxlen: 1340,
    },
  ],
};
const PEER = { ...{ port: 5408, sent: 7, unsent: 0, received: 5, lost: 1 }, rejected: {} };
const FACTS: SyncFacts = {
  ...DAEMONS,
  relay: {
    ...{ local: ip('192.0.2.2'), port: 5408, strangers: 2 },
    peers: [
      { ...PEER, address: ip('192.0.2.1'), connected: true, heard: instant(99e6) },
      { ...PEER, address: ip('192.0.2.3'), connected: false, heard: instant(30e6), unsent: 3 },
      {
        ...PEER,
        address: ip('192.0.2.4'),
        connected: false,
        heard: null,
        rejected: { forged: 3, replayed: 1 },
      },
    ],
  },
};

test('times are seconds ago, and without a relay there is null', () => {
  assert.is(syncReport(DAEMONS, NOW).relay, null);
  assert.equal(
    syncReport(FACTS, NOW).relay?.peers.map(({ heard }) => heard),
    [1, 70, null],
  );
});

test('each director is a line, with what was not taken of it', () => {
  assert.equal(syncLines(syncReport(FACTS, NOW)), [
    '  backup  vksync  id 51  group 224.0.0.81 port 8848',
    '  carried from 192.0.2.2:5408, encrypted',
    '  PEER            HEARD                  SENT                  RECEIVED  LOST  NOT TAKEN',
    '  192.0.2.1:5408  1.0 s ago              7                     5         1     0',
    '  192.0.2.3:5408  silent for 1 min 10 s  7, of which 3 failed  5         1     0',
    '  192.0.2.4:5408  never                  7                     5         1     3 forged, 1 replayed',
    '  of unknown senders, not taken: 2',
  ]);
  assert.equal(syncLines(syncReport(DAEMONS, NOW)), ['  backup  vksync  id 51  group 224.0.0.81 port 8848']);
});

test.run();
