import * as assert from 'uvu/assert';
import type { Happening, InstanceHappening, ServiceHappening } from '../../../src/core/notify/happening.ts';
import { Reactions } from '../../../src/core/notify/reactions.ts';
import type { MailSettings, NotifyConfiguration, NotifySettings } from '../../../src/core/notify/settings.ts';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('who is told of what');

const script = (name: string) => ({ command: [`/${name}`] });
const SCRIPTS: NotifySettings['scripts'] = {
  master: script('master'),
  fault: script('fault'),
  stop: script('stop'),
  any: script('any'),
  lower: script('lower'),
};
const WEB: NotifySettings = { of: 'instance', name: 'web', scripts: SCRIPTS, mail: false };
const MAIL: MailSettings = {
  to: ['a@b'],
  host: 'relay',
  port: 25,
  connectTimeout: seconds(1),
  faults: true,
  eachCheck: true,
};
const configuration = (subject: NotifySettings, mail?: MailSettings): NotifyConfiguration => ({
  subjects: [subject],
  fifos: {},
  ...(mail !== undefined && { mail }),
  timeout: seconds(9),
  statesOnReload: false,
});
const web = (what: InstanceHappening['what'], from = 'BACKUP'): Happening => ({
  of: 'instance',
  name: 'web',
  what,
  from,
  priority: 150,
  cause: 'no advert\nfor 3 s',
});
/** The commands, the line and the mail's subject. */
function told(reactions: Reactions, happening: Happening) {
  const { hooks, line, mail } = reactions.to(happening);
  return [hooks.map(({ command }) => command.join(' ')), line?.text, mail?.subject];
}

test('alarms of the cluster have one subject: a script, a line, a mail', () => {
  const subject = { of: 'fencing', name: '', scripts: { any: script('alarm') }, mail: true } as const;
  const cause = 'switched off by ipmi:\nit is silent';
  const off = { of: 'alarm', about: 'director', name: 'lb1', what: 'OFF', cause } as const;
  const reactions = new Reactions(configuration(subject, MAIL));
  assert.equal(told(reactions, off), [
    ['/alarm DIRECTOR lb1 OFF 0'],
    'DIRECTOR "lb1" OFF 0\n',
    'Director lb1 - OFF',
  ]);
  const { mail, hooks } = reactions.to(off);
  assert.is(mail?.body, '=> switched off by ipmi:\nit is silent <=');
  assert.is(hooks[0]?.environment?.VIPKEEPER_TYPE, 'DIRECTOR');
  assert.is(hooks[0]?.environment?.VIPKEEPER_CAUSE, 'switched off by ipmi: it is silent');
  const dead = { of: 'alarm', about: 'device', name: 'ipmi', what: 'DEAD', cause: 'no answer' } as const;
  assert.is(told(reactions, dead)[1], 'FENCE_DEVICE "ipmi" DEAD 0\n');
  const lacking = { of: 'alarm', about: 'sync', name: 'VI_1', what: 'INCOMPLETE', cause: '80 %' } as const;
  assert.equal(told(reactions, lacking), [
    ['/alarm SYNC VI_1 INCOMPLETE 0'],
    'SYNC "VI_1" INCOMPLETE 0\n',
    'Connection sync of VI_1 - INCOMPLETE',
  ]);
  assert.equal(told(new Reactions(configuration(WEB)), dead), [
    [],
    'FENCE_DEVICE "ipmi" DEAD 0\n',
    undefined,
  ]);
});

test('the script of the state, then notify with its four words', () => {
  const reactions = new Reactions(configuration(WEB));
  assert.equal(told(reactions, web('MASTER')), [
    ['/master', '/any INSTANCE web MASTER 150'],
    'INSTANCE "web" MASTER 150\n',
    undefined,
  ]);
  assert.equal(told(reactions, web('BACKUP'))[0], ['/any INSTANCE web BACKUP 150']);
  assert.is(reactions.to(web('STOP')).urgent, true);
  const [hook] = reactions.to(web('MASTER')).hooks;
  assert.equal(hook?.environment, {
    VIPKEEPER_TYPE: 'INSTANCE',
    VIPKEEPER_NAME: 'web',
    VIPKEEPER_STATE: 'MASTER',
    VIPKEEPER_CAUSE: 'no advert for 3 s',
    VIPKEEPER_FROM: 'BACKUP',
    VIPKEEPER_PRIORITY: '150',
  });
});

test('a group has priority 0, one without scripts has its line', () => {
  const reactions = new Reactions(configuration(WEB));
  const group: Happening = { of: 'group', name: 'all', what: 'FAULT', from: 'MASTER', cause: 'x' };
  assert.equal(told(reactions, group), [[], 'GROUP "all" FAULT 0\n', undefined]);
});

test('the end by a reload is a FAULT, for those who do not know DELETED, and once', () => {
  const reactions = new Reactions(configuration(WEB));
  reactions.configure({ ...configuration(WEB), subjects: [] });
  assert.equal(told(reactions, web('DELETED', 'MASTER')), [
    ['/fault', '/any INSTANCE web FAULT 150'],
    'INSTANCE "web" FAULT 150\n',
    undefined,
  ]);
  const again = new Reactions(configuration(WEB));
  assert.equal(told(again, web('DELETED', 'FAULT')), [[], undefined, undefined]);
  const knows = new Reactions(configuration({ ...WEB, scripts: { ...SCRIPTS, deleted: script('deleted') } }));
  assert.equal(told(knows, web('DELETED', 'FAULT'))[0], ['/deleted', '/any INSTANCE web DELETED 150']);
});

test('a lesser master, and priorities where they are wanted', () => {
  const reactions = new Reactions(configuration(WEB));
  assert.equal(told(reactions, web('MASTER_RX_LOWER_PRI')), [
    ['/lower'],
    'INSTANCE "web" MASTER_RX_LOWER_PRI 150\n',
    undefined,
  ]);
  assert.equal(told(reactions, web('MASTER_PRIORITY')), [[], undefined, undefined]);
  const wants = new Reactions(configuration({ ...WEB, priorities: true }));
  assert.equal(told(wants, web('BACKUP_PRIORITY')), [[], 'INSTANCE "web" BACKUP_PRIORITY 150\n', undefined]);
});

test('another master: the general script, the line and a mail, each time that it is told', () => {
  const reactions = new Reactions(configuration({ ...WEB, mail: true }, MAIL));
  for (let i = 0; i < 2; i++) {
    assert.equal(told(reactions, web('OTHER_MASTER')), [
      ['/any INSTANCE web OTHER_MASTER 150'],
      'INSTANCE "web" OTHER_MASTER 150\n',
      'VRRP Instance web - Another MASTER',
    ]);
  }
  assert.equal(told(reactions, web('STILL_SERVED')), [
    ['/any INSTANCE web STILL_SERVED 150'],
    'INSTANCE "web" STILL_SERVED 150\n',
    'VRRP Instance web - Silent MASTER serves on',
  ]);
});

test('mail: once for a state, none for a FAULT with no_email_faults', () => {
  const mailed = { ...WEB, mail: true };
  const reactions = new Reactions(configuration(mailed, MAIL));
  assert.is(told(reactions, web('MASTER'))[2], 'VRRP Instance web - Entering MASTER state');
  assert.is(told(reactions, web('MASTER'))[2], undefined);
  assert.is(told(reactions, web('FAULT'))[2], 'VRRP Instance web - Entering FAULT state');
  assert.is(told(reactions, web('STOP'))[2], 'VRRP Instance web - Stopping');
  const calm = new Reactions(configuration(mailed, { ...MAIL, faults: false }));
  assert.is(told(calm, web('FAULT'))[2], undefined);
});

test('virtual and real servers: their scripts, lines and mails; at the stop only with omega', () => {
  const service: NotifySettings = {
    of: 'service',
    name: '[10.0.0.1]:tcp:80',
    scripts: { up: script('up'), down: script('down') },
    mail: true,
  };
  const lost: ServiceHappening = {
    of: 'service',
    name: service.name,
    what: 'DOWN',
    text: 'Lost quorum 1+0=1 <= 0',
    cause: 'x',
  };
  const reactions = new Reactions(configuration(service, MAIL));
  assert.equal(told(reactions, lost), [
    ['/down'],
    'VS [10.0.0.1]:tcp:80 DOWN\n',
    'Virtualserver [10.0.0.1]:tcp:80 - DOWN',
  ]);
  assert.equal(told(reactions, { ...lost, stopping: true }), [[], undefined, undefined]);
  const omega = new Reactions(configuration({ ...service, omega: true }, MAIL));
  assert.is(omega.to({ ...lost, stopping: true }).mail?.body, '=> Shutting down <=');
  const server: NotifySettings = {
    ...service,
    of: 'server',
    name: '[10.0.0.9]:tcp:80',
    service: service.name,
  };
  const came: Happening = {
    of: 'server',
    name: server.name,
    service: service.name,
    what: 'UP',
    cause: 'it answers',
  };
  const each = new Reactions(configuration(server, MAIL));
  assert.equal(told(each, came), [['/up'], 'RS [10.0.0.9]:tcp:80 [10.0.0.1]:tcp:80 UP\n', undefined]);
  const checked: Happening = { ...came, of: 'check', turned: false, text: 'TCP CHECK succeed on service' };
  assert.is(each.to(checked).mail?.body, '=> TCP CHECK succeed on service <=');
  const whole = new Reactions(configuration(server, { ...MAIL, eachCheck: false }));
  assert.is(whole.to(checked).mail, undefined);
  const turned = whole.to({ ...checked, turned: true }).mail;
  assert.equal(turned, {
    subject: 'Realserver [10.0.0.9]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - UP',
    body: '=> TCP CHECK succeed on service <=',
  });
  assert.is(whole.to(came).mail, undefined, 'its check has said it');
  for (const reactions of [each, whole]) {
    const gone = reactions.to({ ...came, what: 'DOWN', removed: true }).mail;
    assert.is(gone?.body, '=> Removing <=');
  }
});

test.run();
