import * as assert from 'uvu/assert';
import { type BfdDatagram, Demultiplexer } from '../../../src/core/bfd/demultiplexer.ts';
import { type ControlPacket, encodeControl } from '../../../src/core/bfd/packet.ts';
import { BfdSession } from '../../../src/core/bfd/session.ts';
import type { BfdSettings } from '../../../src/core/bfd/settings.ts';
import { ip } from '../../../src/core/ip.ts';
import { Prng } from '../../../src/core/prng.ts';
import { millis } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { at, SETTINGS } from './neighbor.ts';

function session(discriminator: number, settings: Partial<BfdSettings>): BfdSession {
  const made = new BfdSession({ ...SETTINGS, ...settings }, discriminator, new Prng(discriminator));
  made.handle({ type: 'start' }, at(0));
  return made;
}

const HERE = ip('10.0.0.1');
const near = session(1, { name: 'near' });
const far = session(2, { name: 'far', multihop: true, maxHops: 5 });
const other = session(3, { name: 'other', neighbor: ip('10.0.0.3'), source: HERE });
const SESSIONS = [near, far, other];

const HELLO: ControlPacket = {
  state: 'Down',
  diagnostic: 'no diagnostic',
  poll: false,
  final: false,
  demand: false,
  multiplier: 3,
  mine: 77,
  yours: 0,
  minTx: millis(1000),
  minRx: millis(10),
};

function found(packet: Partial<ControlPacket>, datagram: Partial<BfdDatagram> = {}): string {
  const demultiplexer = new Demultiplexer();
  const whole: BfdDatagram = {
    payload: encodeControl({ ...HELLO, ...packet }),
    source: SETTINGS.neighbor,
    destination: HERE,
    ttl: 255,
    multihop: false,
    ...datagram,
  };
  const match = demultiplexer.find(whole, SESSIONS);
  if (match !== undefined) return match.session.settings.name;
  const [reason] = Object.entries(demultiplexer.discarded).find(([, count]) => count === 1) ?? [];
  return `discarded: ${reason}`;
}

const demultiplexer = suite('bfd demultiplexer');

demultiplexer('by addresses and port while the neighbour does not know us', () => {
  assert.is(found({}), 'near');
  assert.is(found({}, { multihop: true }), 'far');
  assert.is(found({}, { source: ip('10.0.0.3') }), 'other');
  assert.is(found({}, { source: ip('10.0.0.3'), destination: ip('10.0.0.9') }), 'discarded: no-session');
  assert.is(found({}, { source: ip('10.0.0.4') }), 'discarded: no-session');
});

demultiplexer('by our discriminator once it does, wherever it comes from', () => {
  assert.is(found({ yours: 3 }, { source: ip('10.0.0.4') }), 'other');
  assert.is(found({ yours: 9 }), 'discarded: no-session');
  assert.is(found({ yours: 2 }), 'discarded: no-session');
});

demultiplexer('a packet that came too far is not the neighbour', () => {
  assert.is(found({}, { ttl: 254 }), 'discarded: ttl');
  assert.is(found({}, { ttl: 250, multihop: true }), 'far');
  assert.is(found({}, { ttl: 249, multihop: true }), 'discarded: ttl');
});

demultiplexer('what is no control packet, and what a stopped session gets', () => {
  assert.is(found({}, { payload: new Uint8Array(3) }), 'discarded: short');
  other.handle({ type: 'stop' }, at(1));
  assert.is(found({ yours: 3 }), 'discarded: admin-down');
});

demultiplexer.run();
