import * as assert from 'uvu/assert';
import { checkDataText, type DataState, vrrpDataText } from '../../src/core/dumpdata.ts';
import type { BalancerStatus } from '../../src/core/serving/balancer.ts';
import { suite } from '../suite.ts';
import { configured, instance } from './config/memory.ts';

/** keepalived's own text is compared in test/interop/dumps; here what that needs a kernel with IPVS for. */
const test = suite('the text of keepalived.data');

const configuration = configured(`${instance('virtual_ipaddress {\n10.9.0.100/24\n}', 'web', 7)}
virtual_server 10.9.0.100 80 {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  sorry_server 10.9.0.99 80
  real_server 10.9.0.11 80 {
    weight 2
  }
  real_server 10.9.0.12 80 {
  }
}
virtual_server fwmark 7 {
  lb_algo wlc
  lb_kind DR
  protocol UDP
  real_server 10.9.0.13 80 {
  }
}
`);

const nothing: DataState = {
  instances: [],
  groups: [],
  scripts: new Map(),
  check: null,
  wall: () => 0,
  ctime: () => 'then',
};

const server = (name: string, up: boolean, weight: number) => ({ name, up, weight, cause: '', kept: false });
const check = {
  services: [
    {
      endpoints: ['tcp 10.9.0.100:80'],
      quorum: true,
      servers: [server('10.9.0.11:80', true, 2), server('10.9.0.12:80', false, 1)],
    },
  ],
} as unknown as BalancerStatus;

test('virtual and real servers, in the lines that keepalived 2.2.7 wrote of them', () => {
  const lines = checkDataText(configuration, { ...nothing, check }).split('\n');
  const from = lines.indexOf('------< LVS Topology >------');
  assert.equal(lines.slice(from + 1, from + 19), [
    ' ------< Virtual server >------',
    ' VS VIP = 10.9.0.100, VPORT = 80',
    '   lvs_sched = rr',
    '   protocol = TCP',
    '   quorum = 1, hysteresis = 0',
    '   default forwarding method = NAT',
    '   sorry server = 10.9.0.99:80',
    '   alive = 1',
    '   quorum_state_up = 1',
    '   ------< Real server >------',
    '   RIP = 10.9.0.11, RPORT = 80, WEIGHT = 2 EFF WEIGHT = 2',
    '   forwarding method = NAT',
    '   connection limit range = 0 -> 0',
    '   Inhibit on failure is OFF',
    '   initial weight = 2',
    '   effective weight = 2',
    '   alive = 1',
    '   ------< Real server >------',
  ]);
  assert.ok(lines.includes(' VS FWMARK = 7'));
});

test('a router that nothing is known of yet', () => {
  assert.match(vrrpDataText(configuration, nothing), /^ VRRP Instance = web\n.*\n {3}State = INIT$/m);
});

test.run();
