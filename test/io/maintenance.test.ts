import * as assert from 'uvu/assert';
import { NO_HOST } from '../../src/core/config/facts.ts';
import { seconds } from '../../src/core/time.ts';
import { calendarFault } from '../../src/io/cron.ts';
import { loadText } from '../core/config/memory.ts';
import { suite } from '../suite.ts';

/** `slow_start` and `maintenance`, as a file says them. */
const test = suite('slow start and maintenance windows');

const file = (inServer: string, inService = '', scheduler = 'wrr'): string => `virtual_server 192.0.2.1 80 {
  protocol TCP
  lb_algo ${scheduler}
  lb_kind NAT
  ${inService}
  real_server 10.0.0.1 80 {
    ${inServer}
  }
  real_server 10.0.0.2 80 {
  }
}`;
const load = (...parts: Parameters<typeof file>) =>
  loadText(file(...parts), {}, { ...NO_HOST, calendarFault });
const servers = (...parts: Parameters<typeof file>) =>
  load(...parts).configuration?.virtualServers[0]?.realServers;
/** `LINE:COLUMN+LENGTH message (hint)`. */
const found = (...parts: Parameters<typeof file>): string[] =>
  load(...parts).diagnostics.map(({ at, length, message }) => `${at.line}:${at.column}+${length} ${message}`);

test("slow_start is the service's, or the server's own; 0 is none", () => {
  const slow = (inServer: string, inService: string) =>
    servers(inServer, inService)?.map(({ slowStart }) => slowStart);
  assert.equal(slow('', ''), [undefined, undefined]);
  assert.equal(slow('', 'slow_start 30'), [seconds(30), seconds(30)]);
  assert.equal(slow('slow_start 0', 'slow_start 30'), [undefined, seconds(30)]);
  assert.equal(slow('slow_start 1.5', ''), [seconds(1.5), undefined]);
});

test('schedulers that do not look at weights are warned of, once', () => {
  const said = 'slow_start has no effect: lb_algo rr does not look at weights';
  assert.equal(found('', 'slow_start 30', 'rr'), [`5:3+10 ${said}`]);
  assert.equal(found('slow_start 30', '', 'rr'), [`7:5+10 ${said}`]);
  assert.equal(found('slow_start 0', 'slow_start 0', 'rr'), []);
  assert.equal(found('', 'slow_start 30', 'wlc'), []);
});

test('several windows, with or without a weight', () => {
  const [server] = servers('maintenance "0 3 * * 0" 45m\nmaintenance  "*/5 0  3 * * *" 1h30m weight 2') ?? [];
  assert.equal(server?.maintenance, [
    { cron: '0 3 * * 0', length: seconds(2700) },
    { cron: '*/5 0 3 * * *', length: seconds(5400), weight: 2 },
  ]);
});

test('what is wrong is shown where it stands', () => {
  assert.equal(found('maintenance "0 33 * * 0" 45m'), ["7:20+2 maintenance: '33' is no hour"]);
  assert.equal(found('maintenance "0 3 * *" 45m'), ['7:17+9 maintenance: expected 5 or 6 fields but got 4']);
  const times = 'a time such as 90s, 45m, 1h30m or 2d, from 1s to 7d';
  for (const time of ['45x', '0', '8d', '1m1h', ''].map((text) => `"${text}"`)) {
    const text = time.slice(1, -1);
    assert.equal(found(`maintenance "0 3 * * 0" ${time}`), [
      `7:29+${time.length} maintenance: expected ${times}, found '${text}'`,
    ]);
  }
  assert.match(found('maintenance "0 3 * * 0" 45m weight').join(), 'needs N');
});

test.run();
