import * as assert from 'uvu/assert';
import { NO_SETTINGS } from '../../../src/core/director/events.ts';
import type { HandOverStep, HandOverWord } from '../../../src/core/fence/heartbeat-codec.ts';
import { isUnexpected } from '../../../src/core/record/occasion.ts';
import { claimOf } from '../../../src/core/vrrp/group.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { instance, Shell, VIP } from './shell.ts';

/** Planned hand-overs: what the leaving master does, and who takes over. */
const test = suite('planned hand-over');

const UNIT = claimOf('VI_1');
const SEEN = /^say|^handed|^sent|^add|^remove|^frames|^announce|^let go|told .* (MASTER|BACKUP)/;

const master = (more: Partial<VrrpSettings> = {}): Shell => {
  const shell = Shell.of([instance(more)]).until(5);
  shell.taken();
  return shell;
};

/** Follows a master of priority 150. */
const backup = (more: Partial<VrrpSettings> = {}): Shell => {
  const shell = Shell.of([instance(more)]).until(1);
  shell.advert(150, instance(more)).taken();
  return shell;
};

const wish = (shell: Shell, more: { names?: string[]; stays?: boolean; alone?: boolean } = {}): Shell =>
  shell.event({ type: 'hand-over', stays: true, alone: false, why: 'asked to', ...more });

const said = (
  shell: Shell,
  step: HandOverStep,
  { from = 'd2', unit = UNIT, ...more }: Partial<HandOverWord> & { from?: string } = {},
): Shell =>
  shell.event({
    type: 'said',
    from,
    words: [{ type: 'hand-over', unit, number: shell.number, step, ...more }],
  });

test('the master serves until its heir has taken over, and a moment longer', () => {
  const shell = wish(master({ priority: 200 }));
  assert.equal(shell.taken(SEEN), [`say all: offer ${UNIT}`]);
  said(shell, 'ready', { priority: 100 }).until(5.03);
  assert.equal(shell.taken(SEEN), [`say d2: take ${UNIT}`], 'no other one has said more within 20 ms');
  // Its first advert, of a lesser priority; and one of a better, had the priorities changed.
  shell.advert(100).advert(250);
  assert.equal(shell.taken(SEEN), [], 'in peace with the other');
  said(shell, 'taken').until(5.04);
  assert.equal([shell.status().state, shell.held], ['MASTER', [`${VIP}/24`]]);
  assert.equal(shell.until(5.06).taken(SEEN), [
    'sent 51 0 to 224.0.0.18',
    `remove ${VIP}/24`,
    'told VI_1 BACKUP',
    `handed over ${UNIT} taken d2`,
  ]);
  const { cause } = shell.status();
  assert.is(cause, 'planned hand-over to d2: asked to');
  const happening = {
    of: 'instance',
    name: 'VI_1',
    what: 'BACKUP',
    from: 'MASTER',
    priority: 200,
    cause,
  } as const;
  assert.not.ok(isUnexpected(happening), 'nobody will ask why');
  for (let s = 6; s < 20; s++) shell.until(s).advert(100);
  assert.is(shell.status().state, 'BACKUP', 'whom it handed over to, it does not preempt');
  shell.until(30);
  assert.is(shell.status().state, 'MASTER', 'when that one falls silent, it takes over');
});

test('of several that are ready the best takes over', () => {
  const shell = wish(master({ priority: 200 }));
  said(shell, 'ready', { from: 'd3', priority: 90 });
  said(shell, 'ready', { from: 'd2', priority: 100 });
  said(shell, 'unready', { from: 'd4', why: 'no table' }).until(5.03);
  assert.equal(shell.taken(/say d/), [`say d2: take ${UNIT}`]);
  said(shell, 'taken', { from: 'd3' }).until(5.1);
  assert.is(shell.status().state, 'MASTER', 'another says that it has taken over');
});

test('where nobody is ready nothing is changed, and it is said why', () => {
  const shell = wish(master());
  said(shell, 'unready', { why: 'its connection table is not complete' }).until(5.29);
  assert.is(shell.taken(/^handed/).length, 0, 'others may answer');
  shell.until(5.31);
  assert.equal(shell.taken(/^handed|^sent 51 0/), [
    `handed over ${UNIT} kept d2: its connection table is not complete`,
  ]);
  wish(shell).until(6);
  assert.equal(shell.taken(/^handed/), [`handed over ${UNIT} kept no director has answered`]);
  assert.is(shell.status().state, 'MASTER');
});

test('offers and takes that are lost are said again; an heir that says nothing is waited for no longer', () => {
  const shell = wish(master());
  shell.until(5.12);
  assert.equal(shell.taken(/^say/), Array(3).fill(`say all: offer ${UNIT}`));
  said(shell, 'ready', { priority: 100 }).until(5.35);
  assert.ok(shell.taken(/^say d2: take/).length > 2);
  shell.until(6.1);
  assert.equal(shell.taken(/^sent 51 0|^handed/), [], 'it serves, and so it can wait');
  shell.until(6.2);
  assert.equal(shell.taken(/^sent 51 0|^handed/), [
    'sent 51 0 to 224.0.0.18',
    `handed over ${UNIT} resigned d2 did not say within 1 s that it has taken over`,
  ]);
});

test('without other directors it is the standard way: priority 0', () => {
  const shell = wish(master(), { alone: true });
  assert.equal(shell.taken(SEEN), [
    'sent 51 0 to 224.0.0.18',
    `remove ${VIP}/24`,
    'told VI_1 BACKUP',
    `handed over ${UNIT} resigned`,
  ]);
});

test('what is not there, or not held, is not handed over', () => {
  assert.equal(wish(backup(), { names: ['VI_1', 'VI_2'] }).taken(/^say|^handed/), [
    `handed over ${UNIT} kept it is not master here`,
    'handed over VI_2 kept there is no such virtual router or sync group',
  ]);
  assert.equal(wish(backup()).taken(/^say|^handed/), []);
});

test('a backup says that it is ready, takes over at once, and says so when it has announced', () => {
  const shell = said(backup(), 'offer', { number: 7 });
  assert.equal(shell.taken(SEEN), [`say d2: ready ${UNIT}`]);
  said(shell, 'take', { number: 7 });
  const done = shell.taken(SEEN);
  assert.equal(done.slice(0, 2), ['sent 51 100 to 224.0.0.18', `add ${VIP}/24`]);
  assert.is(done.at(-1), `say d2: taken ${UNIT}`);
  assert.is(shell.status().cause, 'planned hand-over of d2');
  said(shell, 'take', { number: 7 });
  assert.equal(shell.taken(SEEN), [`say d2: taken ${UNIT}`], 'its answer may have been lost');
});

test('who takes over, and whose advert does not leave, is not said to have taken over before one has', () => {
  const shell = said(backup(), 'offer', { number: 7 });
  shell.taken();
  shell.unsent = 'ENOBUFS';
  said(shell, 'take', { number: 7 });
  assert.equal(shell.taken(/^say|^frames|^announce/), [], 'packets for its addresses are dropped until then');
  shell.unsent = undefined;
  assert.is(
    shell
      .until(2.1)
      .taken(/^say|^frames|^announce/)
      .at(-1),
    `say d2: taken ${UNIT}`,
  );
});

test('a better master that hands over is no reason to give way, and its end is one to announce again', () => {
  const shell = said(said(backup(), 'offer', { number: 7 }), 'take', { number: 7 });
  shell.taken();
  shell.advert(150);
  assert.is(shell.status().state, 'MASTER');
  assert.equal(shell.taken(SEEN), []);
  shell.until(1.05).advert(0).until(1.2);
  const after = shell.taken(/^sent|announce/);
  assert.is(after[0], 'sent 51 100 to 224.0.0.18');
  assert.ok(after.length > 1, 'neighbours that asked both hear who is left');
  shell.until(3.5).advert(150);
  assert.is(shell.status().state, 'BACKUP', 'peace has an end');
});

test('who cannot take over says why', () => {
  const why = (shell: Shell): string | undefined =>
    said(shell, 'offer', { number: 1 })
      .taken(/^say/)[0]
      ?.replace(/^.*?, /, '');
  assert.is(why(backup().event({ type: 'synced', complete: false })), 'its connection table is not complete');
  assert.match(why(backup().event({ type: 'synced', complete: true })) ?? '', 'say d2: ready');
  assert.match(
    why(backup().event({ type: 'maintenance', on: true })) ?? '',
    /^its VI_1 is FAULT: the operator/,
  );
  assert.match(why(master()) ?? '', /^its VI_1 is MASTER/);
  assert.is(why(Shell.of([instance()]).until(1)), 'its VI_1 hears no master');
  assert.is(
    said(backup(), 'offer', { unit: 'G' }).taken(/^say/)[0],
    'say d2: unready G, it has no such virtual router or sync group',
  );
});

test('a word to take over counts only after an offer of the same hand-over, and not for long', () => {
  const untouched = (shell: Shell): void => assert.is(shell.status().state, 'BACKUP');
  untouched(said(backup(), 'take', { number: 7 }));
  const offered = (): Shell => said(backup(), 'offer', { number: 7 });
  untouched(said(offered(), 'take', { number: 6 }));
  untouched(said(offered(), 'take', { number: 7, from: 'd3' }));
  const late = offered();
  for (let s = 2; s < 5; s++) late.until(s).advert(150);
  untouched(said(late.until(4.5), 'take', { number: 7 }));
});

test('where votes decide, the addresses and the votes go first', () => {
  const settings = {
    ...NO_SETTINGS,
    instances: [instance()],
    groups: [{ name: UNIT, members: ['VI_1'], track: [], weights: true }],
  };
  const shell = new Shell().event({ type: 'configure', settings, protected: true }).until(5);
  shell.event({ type: 'voted', group: UNIT, event: { type: 'authorised' }, until: undefined });
  shell.taken();
  said(wish(shell), 'ready', { priority: 100 }).until(5.03);
  assert.equal(shell.taken(/^say d|^sent 51 0|^remove|^let go|^handed/), [
    'sent 51 0 to 224.0.0.18',
    `remove ${VIP}/24`,
    `let go ${UNIT}`,
    `say d2: take ${UNIT}`,
  ]);
  said(shell, 'taken');
  assert.equal(shell.taken(/^handed/), [`handed over ${UNIT} taken d2`]);
});

test('where votes decide, the heir asks for them at once', () => {
  const settings = {
    ...NO_SETTINGS,
    instances: [instance()],
    groups: [{ name: UNIT, members: ['VI_1'], track: [], weights: true }],
  };
  const shell = new Shell().event({ type: 'configure', settings, protected: true }).until(1).advert(150);
  said(shell, 'offer', { number: 7 });
  // The priority-0 advert may overtake the word.
  shell.advert(0);
  said(shell, 'take', { number: 7 });
  assert.is(shell.status().state, 'BACKUP');
  shell.taken();
  shell.event({ type: 'voted', group: UNIT, event: { type: 'authorised' }, until: undefined });
  assert.is(shell.taken(/^say|^add/).join(), `add ${VIP}/24,say d2: taken ${UNIT}`);
});

test('a sync group is handed over as a whole, by the name of any member', () => {
  const second = { ...instance(), name: 'VI_2', vrid: 52 };
  const groups = [{ name: 'G', members: ['VI_1', 'VI_2'], track: [], weights: true }];
  const shell = Shell.of([instance(), second], { groups }).until(9);
  assert.is(shell.status('VI_2').state, 'MASTER');
  shell.taken();
  wish(shell, { names: ['VI_2', 'VI_1'] });
  assert.equal(shell.taken(/^say/), ['say all: offer G']);
  said(shell, 'ready', { unit: 'G', priority: 1 }).until(9.03);
  said(shell, 'taken', { unit: 'G' }).until(9.06);
  assert.equal(shell.taken(/ 0 to/), ['sent 51 0 to 224.0.0.18', 'sent 52 0 to 224.0.0.18']);
  const heir = Shell.of([instance(), second], { groups }).until(1);
  heir.advert(150).advert(150, second);
  said(heir, 'offer', { unit: 'G', number: 3 });
  said(heir, 'take', { unit: 'G', number: 3 });
  assert.equal(heir.taken(/^say/), ['say d2: ready G', 'say d2: taken G']);
  assert.equal([heir.status().state, heir.status('VI_2').state], ['MASTER', 'MASTER']);
});

test('many virtual routers: what is to be said at a time is said together', () => {
  const names = Array.from({ length: 20 }, (_, i) => `VI_${i}`);
  const routers = names.map((name, i) => ({ ...instance(), name, vrid: 1 + i }));
  const words = (step: HandOverStep, number: number): HandOverWord[] =>
    names.map((name) => ({ type: 'hand-over', unit: claimOf(name), number, step, priority: 100 }));
  const tell = (shell: Shell, step: HandOverStep, number: number): Shell =>
    shell.event({ type: 'said', from: 'd2', words: words(step, number) });
  const all = (to: string, step: HandOverStep): string =>
    `say ${to}: ${names.map((name) => `${step} ${claimOf(name)}`).join(' + ')}`;

  const giver = Shell.of(routers).until(5);
  giver.taken();
  wish(giver).until(5.06);
  assert.equal(giver.taken(/^say/), [all('all', 'offer'), all('all', 'offer')], 'and again after 50 ms');
  tell(giver, 'ready', giver.number).until(5.09);
  assert.equal(giver.taken(/^say/), [all('d2', 'take')]);
  tell(giver, 'taken', giver.number).until(5.2);
  assert.is(giver.taken(/^handed over .* taken d2$/).length, names.length);

  const heir = Shell.of(routers).until(1);
  for (const each of routers) heir.advert(150, each);
  heir.taken();
  tell(heir, 'offer', 7);
  assert.equal(heir.taken(/^say/), [all('d2', 'ready')]);
  tell(heir, 'take', 7);
  assert.is(new Set(heir.taken(/^say d2: taken/).flatMap((line) => line.split(' + '))).size, names.length);
  tell(heir, 'take', 7);
  assert.equal(heir.taken(/^say/), [all('d2', 'taken')], 'its answers may have been lost');
});

test('of many units: an heir that takes one after the other has the time for it, and a silent one has not', () => {
  const units = ['VI_1', 'VI_2', 'VI_3'];
  const shell = Shell.of(units.map((name, i) => ({ ...instance(), name, vrid: 51 + i }))).until(5);
  wish(shell);
  for (const name of units) said(shell, 'ready', { unit: claimOf(name), priority: 100 });
  shell.until(5.9);
  said(shell, 'taken', { unit: claimOf('VI_1') }).until(6.8);
  said(shell, 'taken', { unit: claimOf('VI_2') }).until(7.7);
  assert.is(shell.status('VI_3').state, 'MASTER');
  shell.until(7.9);
  assert.equal(shell.taken(/^handed/), [
    `handed over ${claimOf('VI_1')} taken d2`,
    `handed over ${claimOf('VI_2')} taken d2`,
    `handed over ${claimOf('VI_3')} resigned d2 did not say within 1 s that it has taken over`,
  ]);
});

test('a hand-over for a stop does not keep the router from preempting later', () => {
  const shell = wish(master({ priority: 200 }), { stays: false });
  said(shell, 'ready', { priority: 100 }).until(5.03);
  said(shell, 'taken').until(5.06);
  shell.advert(100).until(5.5);
  assert.is(shell.status().state, 'BACKUP');
  for (let s = 6; s < 12; s++) shell.until(s).advert(100);
  assert.is(shell.status().state, 'MASTER');
});

test('a second wish joins the first', () => {
  const shell = wish(wish(master()));
  assert.is(shell.taken(/^say/).length, 1);
  shell.until(6);
  assert.is(shell.taken(/^handed/).length, 1);
});

test.run();
