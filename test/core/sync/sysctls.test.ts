import * as assert from 'uvu/assert';
import { parseKeptSysctl, planSysctls, wrongSysctl } from '../../../src/core/sync/sysctls.ts';
import { suite } from '../../suite.ts';

const sysctls = suite('settings of IPVS');

const kernel =
  (values: Readonly<Record<string, string>>) =>
  (name: string): string | undefined =>
    values[name];
const PORTS = { name: 'sync_ports', value: '4' };
const KEPT = { name: 'sync_ports', before: '1', ours: '4' };

sysctls('what differs is written, and what it was is kept', () => {
  const now = kernel({ sync_ports: '1', sloppy_tcp: '1' });
  const sloppy = { name: 'sloppy_tcp', value: '1' };
  const plan = planSysctls([PORTS, sloppy, { name: 'sync_qlen_max', value: '9' }], [], now);
  assert.equal(plan, { writes: [PORTS], kept: [KEPT], missing: ['sync_qlen_max'] });
});

sysctls('at a reload the first value stays the one that is put back', () => {
  const eight = { name: 'sync_ports', value: '8' };
  const plan = planSysctls([eight], [KEPT], kernel({ sync_ports: '4' }));
  assert.equal(plan, { writes: [eight], kept: [{ ...KEPT, ours: '8' }], missing: [] });
  assert.equal(planSysctls([PORTS], [KEPT], kernel({ sync_ports: '4' })).writes, []);
});

sysctls('what is wanted no more is put back, unless somebody else has set it since', () => {
  const back = planSysctls([], [KEPT], kernel({ sync_ports: '4' }));
  assert.equal(back, { writes: [{ name: 'sync_ports', value: '1' }], kept: [], missing: [] });
  assert.equal(planSysctls([], [KEPT], kernel({ sync_ports: '2' })), { writes: [], kept: [], missing: [] });
  const again = planSysctls([PORTS], [KEPT], kernel({ sync_ports: '2' }));
  assert.equal(again, { writes: [PORTS], kept: [{ ...KEPT, before: '2' }], missing: [] });
});

sysctls('values that the kernel refuses', () => {
  assert.is(wrongSysctl('sync_threshold', 3, 50), undefined);
  assert.is(wrongSysctl('sync_threshold', 3, 0), undefined);
  assert.match(String(wrongSysctl('sync_threshold', 3, 3)), /0 or more than 3/);
  assert.match(String(wrongSysctl('sync_threshold', 3, undefined)), /two values/);
  assert.match(String(wrongSysctl('sync_ports', 3, undefined)), /power of two/);
  assert.match(String(wrongSysctl('sync_ports', 0, undefined)), /power of two/);
  assert.match(String(wrongSysctl('sync_retries', 4, undefined)), /0 to 3, not 4/);
  assert.match(String(wrongSysctl('sloppy_tcp', 1, 1)), /one value/);
});

sysctls('what is read back from a file', () => {
  assert.equal(parseKeptSysctl(JSON.stringify(KEPT)), KEPT);
  for (const text of ['', '{', 'null', '{"name":"../x","before":"1","ours":"2"}', '{"name":"sync_ports"}'])
    assert.is(parseKeptSysctl(text), undefined, text);
});

sysctls.run();
