import * as assert from 'uvu/assert';
import { NO_SETTINGS } from '../../../src/core/director/events.ts';
import { seconds } from '../../../src/core/time.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { at } from '../vrrp/router.ts';
import { instance, Shell, VIP } from './shell.ts';

/** A director whose process stood still: what comes first when it goes on. */
const test = suite('a director that stood still');

/** Master for some seconds. */
const master = (settings: VrrpSettings): Shell => {
  const shell = Shell.of([settings]).until(10);
  assert.is(shell.status().state, 'MASTER');
  return shell;
};

test('a process that stood still gives up first of all, with announcements under way, and then hears others', () => {
  const announce = { repeat: 5, delay: seconds(12), refresh: seconds(0), refreshRepeat: 1 };
  // The second burst of announcements is due before the next advert.
  const shell = master(instance({ announce })).until(15.5);
  shell.taken();
  shell.sleep(40).event({ type: 'track', events: [] });
  assert.equal(shell.held, [], 'whatever it is told');
  shell.until(40.1);
  assert.equal(shell.taken(/^sent|^announce|^add|^renew/), []);
  shell.advert(50).until(41);
  assert.is(shell.status().state, 'BACKUP');
  const asleep = master(instance({ announce })).until(15.5);
  asleep.taken();
  asleep.sleep(40).until(40);
  assert.equal(asleep.taken(/^sent|^announce|^add|^renew/), [], 'timers are no reason to speak, either');
  assert.is(asleep.status().state, 'BACKUP');
});

test('... and where its votes have run out meanwhile, after a short while, too', () => {
  const group = 'vrrp_instance VI_1';
  const settings = {
    ...NO_SETTINGS,
    instances: [instance()],
    groups: [{ name: group, members: ['VI_1'], track: [], weights: true }],
  };
  const shell = new Shell();
  shell.event({ type: 'configure', settings, protected: true }).until(4);
  shell.event({ type: 'voted', group, event: { type: 'authorised' }, until: at(8.2) }).until(6.3);
  assert.is(shell.status().state, 'MASTER');
  shell.taken();
  shell.sleep(8.4).event({ type: 'track', events: [] });
  assert.equal(shell.taken(/^sent|^remove/), [`remove ${VIP}/24`]);
  assert.match(shell.status().cause, /^stalled until its votes had run out/);
});

test.run();
