import * as assert from 'uvu/assert';
import { ip } from '../../../../src/core/ip.ts';
import { causeOf, type OwnGroup, type Window } from '../../../../src/core/sync/health/cause.ts';
import { suite } from '../../../suite.ts';

const test = suite('causes of a broken sync group');

const OWN: OwnGroup = {
  interface: 'rack',
  syncId: 51,
  heard: 0,
  others: [],
  maxlen: 1452,
  mtu: 1500,
};
const MASTER = { name: 'a', maxlen: 1452, mtu: 1500 };
const cause = (own: Partial<OwnGroup>, window?: Window, master: Partial<typeof MASTER> = {}) =>
  causeOf({ ...MASTER, ...master }, { ...OWN, ...own }, window);
const OTHER = { others: [{ source: ip('10.0.0.9'), syncId: 52 }] };

for (const [what, found, expected] of [
  ['all is well', cause({}, { sent: 100, heard: 100 }), undefined],
  ['nothing to send', cause({}, { sent: 0, heard: 0 }), undefined],
  ['the first survey', cause({}), undefined],
  ['one that is on its way', cause({}, { sent: 2, heard: 0 }), undefined],
  ['a few lost', cause({}, { sent: 100, heard: 95 }), undefined],
  ['others that use the group with their own syncid', cause(OTHER, { sent: 9, heard: 9 }), undefined],
  ['none comes', cause({}, { sent: 3, heard: 0 }), 'deaf'],
  ['another syncid comes instead', cause(OTHER, { sent: 3, heard: 0 }), 'syncid'],
  ['more than the master sends', cause({}, { sent: 10, heard: 40 }), 'stranger'],
  ['all from somebody else', cause({}, { sent: 0, heard: 4 }), 'stranger'],
  ['many lost', cause({}, { sent: 100, heard: 80 }), 'loss'],
  ['too long for our kernel', cause({}, { sent: 9, heard: 9 }, { maxlen: 8900 }), 'maxlen'],
  ['too long for the link', cause({}, { sent: 9, heard: 9 }, { mtu: 9000 }), 'mtu'],
] as const)
  test(`${what}: ${expected ?? 'nothing'}`, () => assert.is(found?.kind, expected));

test('the text names who and where', () => {
  assert.match(
    cause({}, { sent: 7, heard: 0 })?.text ?? '',
    /^a sent 7 datagrams and none came on rack: a switch/,
  );
  assert.match(cause(OTHER, { sent: 7, heard: 0 })?.text ?? '', /syncid 52 from 10\.0\.0\.9; ours is 51$/);
});

test.run();
