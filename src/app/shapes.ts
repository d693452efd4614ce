import {
  anything,
  either,
  fields,
  kinds,
  listOf,
  number,
  oneOf,
  orNull,
  record,
  type Shape,
  text,
  truth,
} from '../core/shape.ts';
import type { FromChild, Role, ToCheck, ToSync, ToVrrp } from './messages.ts';

/**
 * What the messages of messages.ts must look like where they come in. Each kind has its shape, or this does not
 * compile. Settings come from the supervisor of the same release: of those the outermost parts are looked at.
 */

type Shapes<Message extends { readonly type: string }> = Readonly<Record<Message['type'], Shape>>;

const LEVEL = oneOf('crit', 'error', 'warning', 'notice', 'info', 'debug');
const NAMED = fields({ name: text });
const HAPPENING = kinds('of', {
  instance: fields({ name: text, what: text, from: text, priority: number, cause: text }),
  group: fields({ name: text, what: text, from: text, cause: text }),
  voter: fields({ name: text, what: text, cause: text }),
  service: fields({ name: text, what: text, text, cause: text }),
  server: fields({ name: text, service: text, what: text, cause: text }),
  check: fields({ name: text, service: text, what: text, turned: truth }),
  alarm: fields({ about: oneOf('director', 'device', 'votes', 'sync'), name: text, what: text, cause: text }),
});
const ORIGINAL = record;
const CHILD_STATES: Readonly<Record<Role, Shape>> = {
  vrrp: fields(
    {
      names: listOf(text),
      instances: listOf(fields({ name: text, state: text })),
      groups: listOf(fields({ name: text, state: text })),
      bfd: listOf(fields({ name: text, tells: text, reachable: truth })),
      bfdDiscarded: record,
      malformed: number,
      unknownVrids: number,
    },
    { originals: listOf(ORIGINAL), votes: record, watchdog: record },
  ),
  check: fields({
    detailed: truth,
    services: listOf(
      fields({
        name: text,
        endpoints: listOf(text),
        quorum: truth,
        sorry: truth,
        sound: truth,
        servers: listOf(fields({ name: text, up: truth, weight: number })),
      }),
    ),
  }),
  sync: fields(
    {
      running: listOf(fields({ role: text, interface: text, id: number })),
      bulk: fields({ port: number, rejected: record }, { trouble: text }),
    },
    {
      role: oneOf('master', 'backup', 'both'),
      health: fields({ limit: number, alarm: truth, unanswered: truth, told: listOf(record) }),
      relay: fields({
        local: text,
        port: number,
        strangers: number,
        peers: listOf(
          fields({
            address: text,
            port: number,
            connected: truth,
            sent: number,
            unsent: number,
            received: number,
            lost: number,
            rejected: record,
            heard: orNull(number),
          }),
        ),
      }),
    },
  ),
};

/** What the supervisor takes from a process. */
export function fromChild(role: Role): Shape {
  const shapes: Shapes<FromChild<unknown>> = {
    log: fields({ level: LEVEL, message: text, at: number }),
    ready: anything,
    ends: anything,
    notify: fields({ happening: HAPPENING }),
    fence: fields({ director: text }, { why: text, onFailure: oneOf('wait', 'take', 'manual') }),
    switched: fields({
      given: listOf(
        fields({ unit: text, outcome: oneOf('taken', 'resigned', 'kept') }, { to: text, why: text }),
      ),
    }),
    listen: fields({ lasts: number }),
    carried: fields({ from: text }, { router: text }),
    etcd: fields({
      word: kinds('type', {
        ask: fields({ ask: record }),
        release: fields({ release: record }),
        fenced: fields({ director: text, life: text }),
      }),
    }),
    state: fields({ state: CHILD_STATES[role], dropped: number, refused: number }),
    recording: fields({ text, done: truth }, { why: text }),
  };
  return kinds('type', shapes);
}

export const TRACKED: Shape = kinds('kind', {
  script: fields({ name: text, good: truth, why: text }),
  process: fields({ name: text, good: truth, why: text }),
  bfd: fields({ name: text, good: truth, why: text }),
  quorum: fields({ name: text, good: truth, why: text }),
  file: fields({ name: text, value: number }),
});
const TO_VRRP: Shapes<ToVrrp> = {
  inherit: fields({ originals: listOf(ORIGINAL) }, { predecessor: number }),
  configure: fields({
    detail: truth,
    configuration: fields(
      {
        instances: listOf(NAMED),
        groups: listOf(NAMED),
        bfd: listOf(NAMED),
        quietIgmp: truth,
        placement: record,
      },
      { leaseTable: text },
    ),
  }),
  record: anything,
  fenced: fields({ director: text, at: number }),
  unfenced: fields({ director: text, at: number }),
  etcd: fields({}, { answer: fields({ claim: text, number }) }),
  maintenance: fields({ on: truth }),
  switchover: fields({}, { names: listOf(text) }),
  synced: fields({ complete: truth }),
  carried: fields({ from: text }, { router: text }),
  look: anything,
  track: fields({ events: listOf(TRACKED) }),
};
const ORDERS = listOf(fields({ service: text, server: text }));
const TO_CHECK: Shapes<ToCheck> = {
  configure: fields({
    detail: truth,
    configuration: fields(
      { virtualServers: listOf(either(record, number)), global: record, release: truth, ledger: text },
      { orders: ORDERS },
    ),
  }),
  record: anything,
  bfd: fields({ sessions: listOf(fields({ name: text, up: truth, why: text })) }),
  file: fields({ files: listOf(fields({ name: text, value: number })) }),
  orders: fields({ orders: ORDERS }),
  look: anything,
};
const TO_SYNC: Shapes<ToSync> = {
  configure: fields({
    detail: truth,
    configuration: fields({ daemon: fields({ interface: text, id: number }) }, { cluster: record }),
  }),
  role: fields({ role: oneOf('master', 'backup', 'both') }),
  pull: anything,
  listen: fields({ lasts: number }),
};

/** What a process takes from the supervisor. */
export const toChild: Readonly<Record<Role, Shape>> = {
  vrrp: kinds('type', TO_VRRP),
  check: kinds('type', TO_CHECK),
  sync: kinds('type', TO_SYNC),
};

const OF_SERVER = { service: text, force: truth };
/** What an operator may ask on the control socket (docs/protocol.md). */
export const request: Shape = kinds('verb', {
  status: anything,
  reload: anything,
  record: anything,
  reexec: anything,
  servers: fields({}, { server: text, service: text }),
  maintenance: fields({ on: truth }),
  switchover: fields({}, { routers: listOf(text) }),
  drain: fields({ server: text }, { ...OF_SERVER, timeout: number }),
  undrain: fields({ server: text }, OF_SERVER),
  weight: fields({ server: text, weight: orNull(number) }, OF_SERVER),
  pull: anything,
  'fence-test': anything,
  'fence-confirm': fields({ director: text }),
  'fence-order': fields({ director: text, order: oneOf('off', 'on') }),
  'fence-plan': fields({ director: text, order: oneOf('off', 'on') }),
});
