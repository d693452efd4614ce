import * as assert from 'uvu/assert';
import type { Decision } from '../../../src/core/balance/orders.ts';
import {
  decide,
  decisionInWords,
  isOrderRequest,
  type OrderRequest,
  sameDecision,
} from '../../../src/core/serving/decisions.ts';
import { lastOnes } from '../../../src/core/serving/lastserver.ts';
import { suite } from '../../suite.ts';
import { realServer, virtualServer } from './balancer-world.ts';

/** What requests make of decisions. */
const test = suite('decisions of an operator');

const PLACE = { service: 'tcp 10.0.0.1:80', server: '10.0.1.1:80' };
const AT = 1_700_000_000_000;
type Wanted =
  | { verb: 'drain'; timeout?: number }
  | { verb: 'undrain' }
  | { verb: 'weight'; weight: number | null };
const decided = (wanted: Wanted, before?: Omit<Decision, 'service' | 'server'>): unknown =>
  decide({ server: PLACE.server, ...wanted } as OrderRequest, PLACE, before && { ...PLACE, ...before }, AT);
const fault = (wanted: Wanted): string => {
  try {
    decided(wanted);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

test('a drain begins now, and ends when it is told', () => {
  assert.equal(decided({ verb: 'drain' }), { ...PLACE, drain: { since: AT } });
  const limited = { ...PLACE, drain: { since: AT, until: AT + 5000 } };
  assert.equal(decided({ verb: 'drain', timeout: 5000 }, { drain: { since: 1 } }), limited);
});

test('a drain and a weight leave each other alone, and each goes by itself', () => {
  const both = { drain: { since: 1, until: 2 }, weight: 3 };
  assert.equal(decided({ verb: 'weight', weight: 7 }, both), { ...PLACE, ...both, weight: 7 });
  assert.equal(decided({ verb: 'weight', weight: null }, both), { ...PLACE, drain: both.drain });
  assert.equal(decided({ verb: 'undrain' }, both), { ...PLACE, weight: 3 });
  assert.equal(decided({ verb: 'drain' }, { weight: 3 }), { ...PLACE, weight: 3, drain: { since: AT } });
  assert.is(decided({ verb: 'undrain' }, { drain: { since: 1 } }), undefined);
  assert.is(decided({ verb: 'weight', weight: null }, { weight: 3 }), undefined);
  assert.is(decided({ verb: 'undrain' }), undefined);
});

test('what makes no sense is refused', () => {
  for (const weight of [-1, 1.5, 2_147_483_648, Number.NaN])
    assert.match(
      fault({ verb: 'weight', weight }),
      /^a weight is a whole number from 0 to 2147483647, or default/,
    );
  for (const timeout of [-1, 0.5, 1e13, Number.POSITIVE_INFINITY])
    assert.match(fault({ verb: 'drain', timeout }), /^no such time: /);
  assert.is(fault({ verb: 'weight', weight: 2_147_483_647 }), '');
  for (const request of [null, undefined, 3, 'drain', {}, { verb: 'reload' }])
    assert.not(isOrderRequest(request));
});

test('since when a drain goes on makes no difference, everything else does', () => {
  const drain = { ...PLACE, drain: { since: 1, until: 9 } };
  assert.ok(sameDecision(drain, { ...PLACE, drain: { since: 2, until: 9 } }));
  assert.ok(sameDecision(undefined, undefined));
  const others = [undefined, PLACE, { ...PLACE, drain: { since: 1 } }, { ...drain, weight: 0 }];
  for (const other of others) assert.not(sameDecision(drain, other));
});

test('in words, for the log and for who would take out the last server', () => {
  assert.is(decisionInWords({ ...PLACE, drain: { since: 1 }, weight: 3 }), 'its drain and its weight 3');
  const alone = virtualServer([realServer(1)]);
  assert.is(lastOnes([alone], [PLACE], []), undefined);
  assert.is(
    lastOnes([alone], [PLACE], [PLACE.service]),
    '10.0.1.1:80 is the last real server of tcp 10.0.0.1:80 that serves; then nobody would: ' +
      '--force does it all the same',
  );
  const helped = virtualServer([realServer(1)], { sorry: realServer(9).destination });
  assert.match(lastOnes([helped], [PLACE], [PLACE.service]) ?? '', /then its sorry server would/);
});

test.run();
