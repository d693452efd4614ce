import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { toHex } from '../../../src/core/bytes.ts';
import { ip } from '../../../src/core/ip.ts';
import { decodeEvent } from '../../../src/core/netlink/events.ts';
import { encodeBatch, type Request, splitDatagram } from '../../../src/core/netlink/message.ts';
import { addRoute, deleteRoute, dumpRoutesOf, type Route, SCOPE } from '../../../src/core/netlink/route.ts';
import { addRule, deleteRule } from '../../../src/core/netlink/rule.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { route as anyRoute, rule as anyRule } from './arbitrary-routing.ts';

const routing = suite('routes and rules of rtnetlink');

/** What the other side of a request reads. */
function heard(request: Request): ReturnType<typeof decodeEvent> {
  const [message] = splitDatagram(encodeBatch([request], 1)).messages;
  return message && decodeEvent(message);
}

/** A route has one hop of its own or several. */
const sound = ({ via, ifindex, onLink, realms, encapsulation, ...rest }: Route): Route =>
  rest.hops === undefined
    ? JSON.parse(JSON.stringify({ ...rest, via, ifindex, onLink, realms, encapsulation }))
    : rest;

routing('every route that is sent is read back', () => {
  fc.assert(
    fc.property(anyRoute.map(sound), (route) => {
      assert.equal(heard(addRoute(route)), { type: 'route', present: true, route });
      const gone = { ...route, scope: SCOPE.nowhere };
      assert.equal(heard(deleteRoute(route)), { type: 'route', present: false, route: gone });
    }),
    { numRuns: repetitions(1000) },
  );
});

routing('every rule that is sent is read back', () => {
  fc.assert(
    fc.property(anyRule, (rule) => {
      assert.equal(heard(addRule(rule)), { type: 'rule', present: true, rule });
      assert.equal(heard(deleteRule(rule)), { type: 'rule', present: false, rule });
    }),
    { numRuns: repetitions(1000) },
  );
});

routing('a message that is cut anywhere is read or not, and never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyRoute.map((route) => addRoute(route)),
        anyRule.map(addRule),
      ),
      fc.nat(600),
      (whole, cut) => {
        const body = whole.body.subarray(0, cut);
        decodeEvent({ type: whole.type, flags: 0, sequence: 0, port: 0, body });
      },
    ),
    { numRuns: repetitions(1000) },
  );
});

routing('the flags of an insertion', () => {
  const destination = { ip: ip('192.0.2.0'), length: 24 };
  const route: Route = { destination, via: ip('10.9.0.1'), table: 254, protocol: 18, scope: 0, type: 1 };
  const flags = (['exclusive', 'replace', 'prepend', 'append'] as const).map(
    (insertion) => addRoute(route, insertion).flags,
  );
  assert.equal(flags, [0x600, 0x500, 0x400, 0xc00]);
});

routing('a dump of one origin', () => {
  assert.is(toHex(dumpRoutesOf(6, 18).body), '0a0000000012000000000000');
});

routing.run();
