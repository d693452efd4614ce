import fc from 'fast-check';
import { blockTitle, serverTitle } from '../../../src/core/balance/titles.ts';
import type {
  NotifyConfiguration,
  NotifyEvent,
  NotifySettings,
  ScriptCommand,
} from '../../../src/core/notify/settings.ts';
import type { VirtualServerSettings } from '../../../src/core/serving/settings.ts';
import type { GroupSettings, VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { duration, given, maybe, port, wholeSeconds } from './arbitrary-values.ts';

/** Who is told of what happens. */

export const identity = fc.record({ uid: fc.nat(70_000), gid: fc.nat(70_000) });

/** Any words at all: quotes, escapes, variables, braces and comments mean nothing in them. */
export const command: fc.Arbitrary<ScriptCommand> = fc
  .record({
    command: fc
      .tuple(
        fc.stringMatching(/^[a-z/]{1,12}$/),
        fc.array(fc.stringMatching(/^[ -~é\t]{0,10}$/), { maxLength: 3 }),
      )
      .map(([program, words]) => [program, ...words]),
    user: maybe(identity),
  })
  .map((value) => given(value) as ScriptCommand);

const fifo = fc
  .record({
    path: fc.constantFrom('/run/events', '/run/with blank'),
    user: maybe(identity),
    reader: maybe(command),
  })
  .map(given);
const fifos = fc.record({ all: maybe(fifo), vrrp: maybe(fifo), lvs: maybe(fifo) }).map(given);

const mail = fc
  .record({
    to: fc.constantFrom(['root@localhost'], ['a@example.net', 'b@example.net']),
    from: maybe(fc.constant('vipkeeper@example.net')),
    host: fc.constantFrom('192.0.2.25', 'relay.example.net'),
    port,
    helo: maybe(fc.constant('director.example.net')),
    connectTimeout: wholeSeconds(60).map((t) => (t === 0 ? 1e6 : t)),
    faults: fc.boolean(),
    eachCheck: fc.boolean(),
  })
  .map(given);

/** What is said for everybody. */
export const notifyBasics = fc
  .record({
    fifos,
    mail: maybe(mail),
    timeout: duration(1, 9).map((t) => Math.ceil(t / 1e6) * 1e6),
    statesOnReload: fc.boolean(),
  })
  .map((value) => given(value) as unknown as Omit<NotifyConfiguration, 'subjects'>);

/** Of the daemon's own scripts. */
export const ownScripts = {
  scriptGroups: fc.boolean(),
  startup: maybe(fc.tuple(command, wholeSeconds(9)).map(([run, t]) => ({ ...run, timeout: t + 1e6 }))),
  stopGrace: wholeSeconds(9),
  reload: fc
    .record({
      timeFile: maybe(fc.constant('/run/reload time')),
      repeat: fc.boolean(),
      marker: maybe(fc.constantFrom('', '/run/reloading')),
    })
    .map(given),
  umask: maybe(fc.integer({ min: 0, max: 0o777 })),
  dumps: fc
    .record({
      state: maybe(fc.constant('/run/state file')),
      json: maybe(fc.constant('/run/state.json')),
      jsonVersion: fc.constantFrom(1, 2),
    })
    .map(given),
};

const EVENTS: readonly NotifyEvent[] = ['master', 'backup', 'fault', 'stop', 'any', 'deleted', 'lower'];
const runs = (event: NotifyEvent): ScriptCommand => ({ command: ['/usr/bin/notify', event, "it's", ''] });
const scripts = (events: readonly NotifyEvent[]) =>
  Object.fromEntries(events.map((event) => [event, runs(event)]));

/** Scripts for the first instance, every group, service and server; mail for all of them, where there is any. */
export function notifyOf(
  basics: Omit<NotifyConfiguration, 'subjects'>,
  instances: readonly VrrpSettings[],
  groups: readonly GroupSettings[],
  servers: readonly VirtualServerSettings[],
): NotifyConfiguration {
  const mailed = basics.mail !== undefined;
  const subject = (
    of: NotifySettings['of'],
    name: string,
    events: readonly NotifyEvent[],
  ): NotifySettings => ({
    of,
    name,
    scripts: scripts(events),
    mail: mailed,
  });
  const balanced = servers.flatMap((server) => [
    { ...subject('service', blockTitle(server), ['up']), ...(server.omega && { omega: true }) },
    ...server.realServers.map(({ destination: { address, port: number } }) => ({
      ...subject('server', serverTitle(address, number, server), ['up', 'down']),
      service: blockTitle(server),
      ...(server.omega && { omega: true }),
    })),
  ]);
  const [first, ...rest] = instances;
  const quiet = mailed ? rest.map(({ name }) => subject('instance', name, [])) : [];
  const own = first === undefined ? [] : [{ ...subject('instance', first.name, EVENTS), priorities: true }];
  const grouped = groups.map(({ name }) => subject('group', name, EVENTS.slice(0, 5)));
  const alarms = [subject('fencing', '', ['any'])];
  return { ...basics, subjects: [...own, ...quiet, ...grouped, ...alarms, ...balanced] };
}
