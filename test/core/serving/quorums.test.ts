import * as assert from 'uvu/assert';
import { poolName } from '../../../src/core/balance/pool.ts';
import { headerName } from '../../../src/core/balance/titles.ts';
import type { ServiceStatus } from '../../../src/core/serving/balancer.ts';
import { quorumNews } from '../../../src/core/serving/quorums.ts';
import type { TrackSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { realServer, virtualServer } from './balancer-world.ts';

const SERVER = virtualServer([realServer(11), realServer(12)], { quorum: 2 });
const NAME = headerName(SERVER);
const TRACKING = [{ track: [{ kind: 'quorum', name: NAME } as TrackSettings] }, {}];

const standing = (sound: boolean, up: boolean): ServiceStatus =>
  ({ name: poolName(SERVER), sound, servers: [{ up: true }, { up }] }) as unknown as ServiceStatus;

const quorums = suite('quorums for virtual routers');

quorums('what the checks say of a tracked virtual server', () => {
  const [good] = quorumNews(TRACKING, [SERVER], [standing(true, true)], true);
  assert.equal(good, { type: 'track', kind: 'quorum', name: NAME, good: true, why: 'the quorum holds' });
  const [bad] = quorumNews(TRACKING, [SERVER], [standing(false, false)], true);
  const why = `${poolName(SERVER)} has 1 of 2 real servers up, and a quorum of 2`;
  assert.equal(bad, { type: 'track', kind: 'quorum', name: NAME, good: false, why });
});

quorums('nothing is told before the checks have said something, and of what nobody tracks', () => {
  assert.equal(quorumNews(TRACKING, [SERVER], undefined, true), []);
  assert.equal(quorumNews(TRACKING, [SERVER], [], true), []);
  assert.equal(quorumNews(TRACKING, [], [standing(true, true)], true), []);
  assert.equal(quorumNews([{}], [SERVER], [standing(false, false)], true), []);
});

quorums('where nothing is checked the quorum is held to be there', () => {
  const [news] = quorumNews(TRACKING, [SERVER], undefined, false);
  assert.equal(news, {
    type: 'track',
    kind: 'quorum',
    name: NAME,
    good: true,
    why: 'nothing is checked here',
  });
});

quorums.run();
