import * as assert from 'uvu/assert';
import type { DirectorEffect } from '../../../src/core/director/events.ts';
import { Rehearsal } from '../../../src/core/rehearsal/rehearsal.ts';
import { suite } from '../../suite.ts';
import { at } from '../vrrp/router.ts';

const test = suite('rehearsal of a takeover');

const BIRTH = { digest: { hmac: () => new Uint8Array(64) }, begun: at(0), marks: true };

/** The effects of a rehearsal, in order. */
function rehearsed(): DirectorEffect[] {
  const effects: DirectorEffect[] = [];
  new Rehearsal(BIRTH, (effect) => void effects.push(effect)).play();
  return effects;
}

const of = <T extends DirectorEffect['type']>(effects: readonly DirectorEffect[], type: T) =>
  effects.filter((effect): effect is Extract<DirectorEffect, { type: T }> => effect.type === type);

test('each family becomes master, and serves', () => {
  const told = of(rehearsed(), 'happened').map(({ happening: { name, what } }) => `${name} ${what}`);
  for (const name of ['IPv4', 'IPv6'])
    assert.equal(
      told.filter((line) => line.startsWith(name)),
      [`${name} BACKUP`, `${name} MASTER`, `${name} FAULT`, `${name} STOP`],
    );
});

test('all that a takeover asks of the kernel and the wire is in it', () => {
  const effects = rehearsed();
  const changes = of(effects, 'addresses').flatMap((effect) => effect.changes);
  assert.equal([...new Set(changes.map(({ op }) => op))].sort(), ['add', 'remove', 'renew']);
  const steps = of(effects, 'leases').flatMap((effect) => effect.steps);
  for (const op of ['make', 'guard', 'grant', 'end'])
    assert.ok(
      steps.some((step) => step.op === op),
      op,
    );
  const announced = new Set(of(effects, 'frames').flatMap(({ addresses }) => addresses));
  assert.equal([...announced].sort(), ['192.0.2.100', '2001:db8::100', 'fe80::100']);
  const adverts = of(effects, 'send').map(({ router, payload }) => `${router} ${payload[2]}`);
  for (const priority of [100, 0])
    assert.is(new Set(adverts.filter((line) => line.endsWith(` ${priority}`))).size, 2);
});

test('before the last moment only what comes up to the takeover', () => {
  const told: string[] = [];
  const rehearsal = new Rehearsal(BIRTH, (effect) => {
    if (effect.type === 'happened') told.push(`${effect.happening.name} ${effect.happening.what}`);
  });
  assert.equal(told, ['IPv4 BACKUP', 'IPv6 BACKUP']);
  rehearsal.takeOver();
  assert.equal(told.slice(2).sort(), ['IPv4 MASTER', 'IPv6 MASTER']);
});

test('nothing in it is a complaint', () => {
  const effects = rehearsed();
  const loud = of(effects, 'log').filter(({ level }) => level !== 'notice' && level !== 'info');
  assert.equal(loud, []);
  assert.equal(of(effects, 'refused'), []);
});

test.run();
