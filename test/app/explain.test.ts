import * as assert from 'uvu/assert';
import { explained, explainLines } from '../../src/app/operator/explain.ts';
import { Balancer } from '../../src/core/serving/balancer.ts';
import { statusReport } from '../../src/core/status/report.ts';
import { instant, micros } from '../../src/core/time.ts';
import { configured } from '../core/config/memory.ts';
import { daemonStatus, isoOf } from '../core/status/facts.ts';
import { suite } from '../suite.ts';

/** What an operator reads, from the state that the check process sends. */
const test = suite('explain');

const TEXT = `virtual_server 10.0.0.1 80 {
  delay_loop 6
  protocol TCP
  lb_algo rr
  lb_kind NAT
  real_server 10.0.1.1 80 {
    TCP_CHECK {
      retry 0
      warmup 0
    }
  }
  real_server 10.0.1.2 80 {
  }
}`;

/** The status at 20 s, after checks at 0, 6, 12, 18 s, of which the last two were refused. */
function report() {
  const balancer = new Balancer();
  balancer.handle(
    { type: 'configure', virtualServers: configured(TEXT).virtualServers, flush: false },
    instant(0),
  );
  for (let turn = 0; turn < 4; turn++) {
    const now = instant(turn * 6e6);
    balancer.timeout(now);
    const probe = balancer.take().find((effect) => effect.type === 'probe');
    if (probe?.type !== 'probe') throw new Error('no probe');
    const good = { verdict: 'good', reason: 'connected', latency: micros(300 + 1000 * turn) } as const;
    const result = turn < 2 ? good : ({ verdict: 'bad', reason: 'connection refused' } as const);
    balancer.handle({ type: 'outcome', id: probe.id, result }, now);
  }
  const check = balancer.status([]);
  return statusReport(daemonStatus({ check }), { now: instant(20e6), iso: isoOf });
}

const explainedLines = (name?: string): string[] => explainLines(explained(report(), name), report());

test('why a server is down, since when, and what its check saw', () => {
  assert.equal(explainedLines(), [
    '10.0.1.1:80 of tcp 10.0.0.1:80: down for 8 s, weight 1, 0 active and 0 inactive connections',
    '  tcp check of 10.0.1.1:80: connection refused',
    '',
    '  tcp check of 10.0.1.1:80: down for 8 s, 2 bad in a row',
    '    LAST  FIRST  TIMES  RESULT  WHY',
    '    2 s   8 s    2      bad     connection refused',
    '    14 s  20 s   2      good    connected',
    '    LATENCY    TIMES',
    '    to 0.5 ms  1      ########################################',
    '    to 1 ms    0',
    '    to 2 ms    1      ########################################',
  ]);
});

test('servers by endpoint, address and service', () => {
  const names = (name?: string): string[] => explained(report(), name).servers.map((server) => server.name);
  assert.equal(names('10.0.1.1:80'), ['10.0.1.1:80']);
  assert.equal(names('10.0.1.2'), ['10.0.1.2:80']);
  assert.equal(names('10.0.0.1:80'), ['10.0.1.1:80', '10.0.1.2:80'], 'without the protocol');
  assert.equal(names('10.0.0.1'), ['10.0.1.1:80', '10.0.1.2:80'], 'by the VIP alone');
  assert.equal(names('tcp 10.0.0.1:80'), ['10.0.1.1:80', '10.0.1.2:80']);
  assert.equal(names(), ['10.0.1.1:80']);
  assert.equal(names('10.9.9.9'), []);
  assert.equal(explainedLines('10.0.1.2'), [
    '10.0.1.2:80 of tcp 10.0.0.1:80: up, weight 1, 0 active and 0 inactive connections',
    '  nothing checks it',
  ]);
  assert.equal(explainLines({ routers: [], servers: [] }, report()), ['all real servers are up']);
});

test.run();
