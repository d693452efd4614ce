import * as assert from 'uvu/assert';
import { difference } from '../../../src/core/config/difference.ts';
import { suite } from '../../suite.ts';
import { configured } from './memory.ts';

const test = suite('what a reload changes, in one line');

const router = (name: string, vrid: number, vips: string, more = ''): string =>
  `vrrp_instance ${name} {\n  interface eth0\n  virtual_router_id ${vrid}\n${more}` +
  `  virtual_ipaddress {\n    ${vips}\n  }\n}\n`;
const server = (port: number, servers: readonly string[], more = ''): string =>
  `virtual_server 10.0.0.1 ${port} {\n  lb_algo rr\n  lb_kind NAT\n  protocol TCP\n${more}` +
  `${servers.map((each) => `  real_server ${each} 80 {\n    weight 1\n  }\n`).join('')}}\n`;
const WEB = router('web', 7, '10.0.0.1');
const changes = (before: string, after: string): string => difference(configured(before), configured(after));

test('the same is nothing, whatever it looks like', () => {
  assert.is(changes(WEB, WEB), 'nothing changed');
  assert.is(changes(WEB, `# said otherwise\n\n${WEB}`), 'nothing changed');
  assert.is(changes('', ''), 'nothing changed');
});

test('servers are counted, virtual and real ones', () => {
  const before = WEB + server(80, ['10.1.0.1', '10.1.0.2']);
  assert.is(
    changes(before, WEB + server(80, ['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4'], '  quorum 2\n')),
    '1 virtual server changed, 2 real servers added; no VIP moved',
  );
  assert.is(
    changes(before, WEB + server(80, ['10.1.0.1']) + server(81, ['10.1.0.1'])),
    '1 virtual server added, 1 real server added, 1 real server removed; no VIP moved',
  );
  assert.is(changes(before, before.replace('weight 1', 'weight 2')), '1 real server changed; no VIP moved');
  assert.is(
    changes(server(80, ['10.1.0.1']), server(81, ['10.1.0.1'])),
    '1 virtual server added, 1 virtual server removed, 1 real server added, 1 real server removed',
  );
});

test('where VIPs go is said', () => {
  assert.is(
    changes(WEB, router('web', 7, '10.0.0.1\n    10.0.0.2\n    10.0.0.3')),
    '1 virtual router changed; 2 VIPs added, no VIP moved',
  );
  const two = WEB + router('mail', 8, '10.0.0.2');
  assert.is(changes(two, WEB), '1 virtual router removed; 1 VIP removed, no VIP moved');
  assert.is(
    changes(two, router('web', 7, '10.0.0.2') + router('mail', 8, '10.0.0.1')),
    '2 virtual routers changed; 2 VIPs moved',
  );
  assert.is(changes(WEB, router('web', 7, '10.0.0.1 dev eth1')), '1 virtual router changed; 1 VIP moved');
  assert.is(
    changes(WEB, router('web', 7, '10.0.0.1', '  priority 120\n')),
    '1 virtual router changed; no VIP moved',
  );
});

test('everything else is at least named', () => {
  assert.is(
    changes(WEB, `global_defs {\n  router_id other\n  smtp_server 10.0.0.9\n}\n${WEB}`),
    'global settings changed; no VIP moved',
  );
  const script = 'vrrp_script good {\n  script "/bin/true"\n}\n';
  assert.is(changes(WEB, script + WEB), '1 tracked script added; no VIP moved');
});

test.run();
