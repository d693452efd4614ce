import * as assert from 'uvu/assert';
import { serviceName } from '../../../src/core/balance/model.ts';
import type { CheckSettings, TcpCheck } from '../../../src/core/check/settings.ts';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { configured, findings, loadText } from './memory.ts';

const test = suite('virtual server settings');

const service = (body: string, header = '192.0.2.1 80', kind = 'NAT') =>
  `virtual_server ${header} {\nprotocol TCP\nlb_algo rr\nlb_kind ${kind}\n${body}\n}\n`;
const RS = 'real_server 10.0.0.1 8080 {\n}';
const only = (text: string) => {
  const [first] = configured(text).virtualServers;
  if (first === undefined) throw new Error('no service');
  return first;
};

test('a service and a server with what they must say', () => {
  assert.equal(only(service(RS)), {
    services: [
      {
        key: { kind: 'address', protocol: 'tcp', address: '192.0.2.1', port: 80 },
        scheduler: 'rr',
        flags: 0,
        persistence: 0,
        granularity: 32,
      },
    ],
    realServers: [
      {
        destination: { address: '10.0.0.1', port: 8080, method: 'nat', weight: 1, upper: 0, lower: 0 },
        inhibit: false,
        checks: [],
      },
    ],
    quorum: 1,
    hysteresis: 0,
  });
});

const tcp = (check: CheckSettings | undefined): TcpCheck | undefined =>
  check?.kind === 'tcp' ? check : undefined;

test("a check's settings: its own, the server's, the service's, the defaults", () => {
  const check = (inService: string, inServer: string, own: string) => {
    const text = `${inService}\nreal_server 10.0.0.1 8080 {\n${inServer}\nTCP_CHECK {\n${own}\n}\n}`;
    return tcp(only(service(text)).realServers[0]?.checks[0]);
  };
  assert.equal(check('', '', ''), {
    kind: 'tcp',
    address: '10.0.0.1',
    port: 8080,
    timeout: seconds(5),
    period: seconds(60),
    warmup: seconds(60),
    retries: 1,
    retryDelay: seconds(1),
    alpha: false,
  });
  const all = (n: number) => `delay_loop ${n}\nconnect_timeout ${n}\nretry ${n}\ndelay_before_retry ${n}`;
  const pick = (c: ReturnType<typeof check>) => [c?.period, c?.warmup, c?.timeout, c?.retries, c?.retryDelay];
  const expected = (n: number) => [seconds(n), seconds(n), seconds(n), n, seconds(n)];
  assert.equal(pick(check(all(2), '', '')), expected(2));
  assert.equal(pick(check(all(2), all(3), '')), expected(3));
  assert.equal(pick(check(all(2), all(3), all(4))), expected(4));
  assert.is(check('warmup 9', '', '')?.warmup, seconds(9));
  assert.is(check('alpha', '', '')?.alpha, true);
  assert.is(check('alpha', 'alpha off', '')?.alpha, false);
  const probed = check('', '', 'connect_ip 10.9.9.9\nconnect_port 1\nbindto 10.0.0.5\nbind_port 7\nretry 0');
  assert.equal(
    [probed?.address, probed?.port, probed?.source, probed?.sourcePort],
    ['10.9.9.9', 1, '10.0.0.5', 7],
  );
  assert.is(probed?.retries, 0);
});

test('a check needs a port, and a source of its own family', () => {
  const text = (own: string) =>
    `virtual_server fwmark 1 {\nlb_algo rr\nlb_kind NAT\nreal_server 2001:db8::5 {\nTCP_CHECK {\n${own}\n}\n}\n}`;
  assert.equal(findings(text('')), ['error 5:1 TCP_CHECK has no port to connect to']);
  assert.equal(findings(text('connect_port 1\nbindto 10.0.0.1')), [
    'error 7:1 bindto is of another family than 2001:db8::5',
  ]);
});

test('DR and TUN keep the port of the service, NAT may change it', () => {
  const port = (kind: string, server: string) =>
    only(service(server, '192.0.2.1 80', kind)).realServers[0]?.destination.port;
  assert.is(port('NAT', 'real_server 10.0.0.1 8080 {\n}'), 8080);
  assert.is(port('NAT', 'real_server 10.0.0.1 {\n}'), 80);
  assert.is(port('DR', 'real_server 10.0.0.1 {\n}'), 80);
  for (const kind of ['DR', 'TUN']) {
    assert.equal(findings(service(RS, '192.0.2.1 80', kind)), [
      `warning 5:22 ${kind} keeps the port of the service: 80 is used, not 8080`,
    ]);
  }
  assert.equal(findings(service('real_server 10.0.0.1 80 {\n}', '192.0.2.1 80', 'DR')), []);
  const mark =
    'virtual_server fwmark 5 {\nlb_algo rr\nlb_kind NAT\nreal_server 10.0.0.1 8080 {\nTCP_CHECK {\n}\n}\n}';
  const [server] = only(mark).realServers;
  assert.equal([server?.destination.port, tcp(server?.checks[0])?.port], [8080, 8080]);
  const direct = only(mark.replace('NAT', 'DR')).realServers[0];
  assert.equal([direct?.destination.port, tcp(direct?.checks[0])?.port], [0, 8080]);
});

test('the director itself serves by DR, not by NAT', () => {
  const drops = (at: string, to: string) =>
    `warning ${at} the kernel drops what comes from outside and goes to ${to} by NAT`;
  assert.equal(findings(service(`sorry_server 127.0.0.1 80\n${RS}`)), [drops('5:14', '127.0.0.1')]);
  assert.equal(findings(service(`sorry_server 127.0.0.1 80\nsorry_server_lvs_method DR\n${RS}`)), []);
  const six = service('real_server ::1 80 {\n}', '2001:db8::1 80');
  assert.equal(findings(six), [drops('5:13', '::1')]);
  assert.equal(findings(six.replace('NAT', 'DR')), []);
});

test('a real server has its own method, weight and limits', () => {
  const own =
    'real_server 10.0.0.1 80 {\nlvs_method tun\nweight 0\nuthreshold 9\nlthreshold 3\ninhibit_on_failure\n}';
  const [server] = only(service(own, '192.0.2.1 80', 'DR')).realServers;
  assert.equal(server?.destination, {
    address: '10.0.0.1',
    port: 80,
    method: 'tun',
    weight: 0,
    upper: 9,
    lower: 3,
  });
  assert.is(server?.inhibit, true);
  const inherits = only(service(`weight 7\ninhibit_on_failure\n${RS}`)).realServers[0];
  assert.equal([inherits?.destination.weight, inherits?.inhibit], [7, true]);
  assert.match(
    findings(service('real_server 10.0.0.1 {\nuthreshold 1\nlthreshold 2\n}')).join(),
    /lthreshold is above/,
  );
  assert.equal(findings(service('real_server 10.0.0.1 {\nlthreshold 2\n}')), [
    'warning 6:1 lthreshold needs uthreshold: it has no effect',
  ]);
});

test('families: only TUN forwards between them', () => {
  const other = 'real_server 2001:db8::1 80 {\n}';
  assert.equal(findings(service(other)), ['error 5:13 real_server is of another family than its service']);
  assert.equal(findings(service(other, '192.0.2.1 80', 'TUN')), []);
  assert.match(findings(service(`sorry_server ::1 80\n${RS}`)).join(), /sorry_server is of another family/);
});

test('services and servers are there once', () => {
  assert.equal(findings(service(RS) + service(RS)), [
    'error 8:1 virtual_server tcp 192.0.2.1:80 is defined twice',
  ]);
  assert.equal(findings(service(RS) + service(RS).replace('TCP', 'SCTP')), []);
  const twice = service(`${RS}\n${RS}`);
  assert.equal(findings(twice), ['warning 7:1 real_server 10.0.0.1:8080 is there twice: the first counts']);
  assert.is(only(twice).realServers.length, 1);
});

test('what is left out is said: protocol, scheduler, method', () => {
  const text = `virtual_server 192.0.2.1 80 {\n${RS}\n}`;
  assert.equal(
    findings(text).map((line) => line.split(':').slice(0, 2).join(':')),
    [
      'warning 1:1 virtual_server has no protocol',
      'warning 1:1 virtual_server has no lb_algo',
      'warning 1:1 virtual_server has no lb_kind',
    ],
  );
  const { services, realServers } = only(text);
  const [built] = services;
  assert.equal(built?.key, { kind: 'address', protocol: 'udp', address: '192.0.2.1', port: 80 });
  assert.equal([built?.scheduler, realServers[0]?.destination.method], ['wlc', 'nat']);
});

test('firewall marks: the family is said, or that of the servers', () => {
  const text = (header: string, server = '10.0.0.1', body = '') =>
    only(`virtual_server ${header} {\n${body}\nlb_algo rr\nlb_kind TUN\nreal_server ${server} {\n}\n}`)
      .services[0]?.key;
  assert.equal(text('fwmark 7'), { kind: 'fwmark', mark: 7, family: 4 });
  assert.equal(text('fwmark 7', '2001:db8::1'), { kind: 'fwmark', mark: 7, family: 6 });
  assert.equal(text('fwmark 7 inet6'), { kind: 'fwmark', mark: 7, family: 6 });
  assert.equal(text('fwmark 7', '10.0.0.1', 'ip_family inet6'), { kind: 'fwmark', mark: 7, family: 6 });
  assert.match(
    findings(service(RS, 'fwmark 0')).join(),
    /^error 1:23 virtual_server: expected a whole number from 1/,
  );
});

const group = (lines: string, name = 'g') => `virtual_server_group ${name} {\n${lines}\n}\n`;

test('a group: its addresses, ranges and marks are services of one virtual server', () => {
  const keys = (lines: string) => {
    const [first, ...others] = configured(group(lines) + service(RS, 'group g')).virtualServers;
    assert.equal(others, []);
    return first?.services.map(({ key }) => serviceName(key)) ?? [];
  };
  assert.equal(keys('10.0.0.8 80\n10.0.1.9-10 81\nfwmark 7'), [
    'tcp 10.0.0.8:80',
    'tcp 10.0.1.9:81',
    'tcp 10.0.1.10:81',
    'fwmark 7 inet',
  ]);
  assert.equal(keys('10.0.0.5/30 80').length, 4);
  assert.match(findings(service(RS, 'group g')).join(), /there is no virtual_server_group g/);
  assert.match(
    findings(`${group('10.0.0.9-3 80')}${service(RS, 'group g')}`).join(),
    /^error 2:1 virtual_server_group: expected an address, a range/,
  );
  assert.equal(findings(`${group('10.0.0.9 80\n2001:db8::1 80')}${service(RS, 'group g')}`), [
    'error 9:13 real_server is of another family than its service',
  ]);
  assert.equal(findings(`${group('')}${service(RS, 'group g')}`), [
    'error 1:1 virtual_server_group g has no address or mark',
  ]);
  assert.equal(findings(`${group('10.0.0.1-3 80\n10.0.0.2 80')}${service(RS, 'group g')}`), [
    'error 5:22 the group has tcp 10.0.0.2:80 twice',
  ]);
});

test('a group is for several protocols, which have its marks in common', () => {
  const both = (lines: string) =>
    findings(group(lines) + service(RS, 'group g') + service(RS, 'group g').replace('TCP', 'UDP'));
  assert.equal(both('10.0.0.8 80\nfwmark 7'), []);
  const twice = group('10.0.0.8 80') + service(RS, 'group g') + service(RS, 'group g');
  assert.equal(findings(twice), ['error 11:1 virtual_server tcp 10.0.0.8:80 is defined twice']);
  const other = group('fwmark 7') + service(RS, 'group g') + service(RS, 'fwmark 7');
  assert.match(findings(other).join(), /error 11:1 virtual_server fwmark 7 inet is defined twice/);
});

test('in a group NAT has the port that is written, DR that of each service', () => {
  const ports = (server: string, kind: string) =>
    only(group('10.0.0.8 80\n10.0.0.8 443') + service(`real_server 10.1.0.1 ${server} {\n}`, 'group g', kind))
      .realServers[0]?.destination.port;
  assert.equal([ports('', 'NAT'), ports('8080', 'NAT'), ports('', 'DR')], [0, 8080, 0]);
  const mapped =
    group('10.0.0.8 80\n10.0.0.8 443') + service('real_server 10.1.0.1 80 {\n}', 'group g', 'DR');
  assert.equal(findings(mapped), ['warning 9:22 DR keeps the port of the service: 443 is used, not 80']);
});

test('the family of marks in a group: said, ip_family, that of the addresses', () => {
  const families = (lines: string, body = '', server = '2001:db8::9') =>
    only(group(lines) + service(`${body}\nreal_server ${server} {\n}`, 'group g', 'TUN')).services.map(
      ({ key }) => serviceName(key),
    );
  assert.equal(families('fwmark 1 inet6\nfwmark 2'), ['fwmark 1 inet6', 'fwmark 2 inet6']);
  assert.equal(families('10.0.0.1 80\nfwmark 2'), ['tcp 10.0.0.1:80', 'fwmark 2 inet']);
  assert.equal(families('fwmark 2', 'ip_family inet'), ['fwmark 2 inet']);
});

test('persistence: by word, by granularity, and by port 0', () => {
  const persistence = (body: string, header?: string) => {
    const [built] = only(service(`${body}\n${RS}`, header)).services;
    return [built?.persistence, built?.granularity];
  };
  assert.equal(persistence('persistence_timeout 60'), [60, 32]);
  assert.equal(persistence('persistence_timeout'), [360, 32]);
  assert.equal(persistence('persistence_granularity 255.255.254.0'), [360, 23]);
  assert.equal(persistence('', '192.0.2.1'), [360, 32]);
  assert.match(
    findings(service(RS, '192.0.2.1')).join(),
    /^warning 1:1 a service for all ports must be persistent/,
  );
  const found = (value: string) =>
    findings(service(`persistence_timeout 9\npersistence_granularity ${value}\n${RS}`)).join();
  assert.match(found('255.0.255.0'), /^error 6:25/);
  assert.match(found('24'), /^warning 6:25 persistence_granularity of an IPv4 service is a netmask/);
});

test('flags: of every scheduler, of its own hash scheduler, one-packet for UDP', () => {
  const flags = (lines: string, algorithm = 'sh') => {
    const text = service(`${lines}\n${RS}`).replace('lb_algo rr', `lb_algo ${algorithm}`);
    return only(text.replace('TCP', 'UDP')).services[0]?.flags;
  };
  assert.is(flags('flag-1\nflag-2\nflag-3'), 56);
  assert.is(flags('sh-fallback'), 8);
  assert.is(flags('sh-port'), 16);
  assert.is(flags('mh-port\nmh-fallback', 'mh'), 24);
  assert.is(flags('mh-port'), 0);
  assert.is(flags('ops'), 4);
  assert.match(
    findings(service(`sh-port\n${RS}`)).join(),
    /^warning 5:1 sh-port counts only with lb_algo sh/,
  );
  assert.equal(findings(service(`ops\n${RS}`)), [
    'warning 5:1 ops is for UDP services only: it has no effect, as in keepalived',
  ]);
});

test('quorum and hysteresis are kept within the weight that there is', () => {
  const quorum = (lines: string) => {
    const built = only(service(`${lines}\nreal_server 10.0.0.1 80 {\nweight 4\n}`));
    return [built.quorum, built.hysteresis];
  };
  assert.equal(quorum('quorum 3\nhysteresis 2'), [3, 2]);
  assert.equal(quorum('quorum 9'), [4, 0]);
  assert.equal(quorum('quorum 3\nhysteresis 3'), [3, 2]);
});

test("the sorry server: its port and method are the service's unless said", () => {
  const sorry = (lines: string, kind?: string) =>
    only(service(`${lines}\n${RS}`, '192.0.2.1 80', kind)).sorry;
  const common = { address: '10.0.0.9', weight: 1, upper: 0, lower: 0 };
  assert.equal(sorry('sorry_server 10.0.0.9 99'), { ...common, port: 99, method: 'nat' });
  assert.is(sorry('sorry_server 10.0.0.9')?.port, 0, 'that of the connection');
  assert.equal(sorry('sorry_server 10.0.0.9\nsorry_server_lvs_method DR'), {
    ...common,
    port: 80,
    method: 'dr',
  });
});

test('a service without servers is left out, with a warning', () => {
  const { configuration, diagnostics } = loadText(service(''));
  assert.equal(configuration?.virtualServers, []);
  assert.match(diagnostics[0]?.message ?? '', /has no real_server: it is left out/);
});

test('what has no effect is said', () => {
  const mark =
    'virtual_server fwmark 5 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\nreal_server 10.0.0.1 {\n}\n}';
  assert.match(findings(mark).join(), /^warning 4:1 protocol has no effect here/);
  assert.match(
    findings(service(`ip_family inet\n${RS}`)).join(),
    /^warning 5:1 ip_family has no effect here/,
  );
  const alone = service(`sorry_server_lvs_method DR\n${RS}`);
  assert.match(findings(alone).join(), /^warning 5:1 sorry_server_lvs_method has no effect/);
});

test('tunnels: what each kind has', () => {
  const PLAIN = 'real_server 10.0.0.1 80 {\n}';
  const built = (kind: string) => only(service(PLAIN, '192.0.2.1 80', kind)).realServers[0]?.destination;
  assert.is(built('TUN type ipip')?.tunnel, undefined);
  assert.equal(built('TUN type gue port 6080')?.tunnel, { type: 'gue', port: 6080, checksum: 'nocsum' });
  assert.equal(built('TUN type gue port 6080 remcsum')?.tunnel, {
    type: 'gue',
    port: 6080,
    checksum: 'remcsum',
  });
  assert.equal(built('TUN type gre csum')?.tunnel, { type: 'gre', port: 0, checksum: 'csum' });
  const fault = (kind: string) => findings(service(PLAIN, '192.0.2.1 80', kind)).join();
  assert.match(fault('NAT type ipip'), /^error 4:13 lb_kind: NAT has no tunnel options/);
  assert.match(fault('TUN port 5'), /only a gue tunnel has a port/);
  assert.match(fault('TUN csum'), /an ipip tunnel has no checksum/);
  assert.match(fault('TUN type gue'), /a gue tunnel needs the port of its far end/);
  assert.match(fault('TUN type gre remcsum'), /a gre tunnel has no remote checksum/);
  assert.match(fault('TUN type gue port 5 csum remcsum'), /only one of csum and remcsum/);
});

test('ha_suspend, omega, sorry_server_inhibit: of the service; ha_suspend needs an address', () => {
  const all = only(service(`ha_suspend\nomega\nsorry_server 10.0.0.9 80\nsorry_server_inhibit\n${RS}`));
  assert.equal([all.haSuspend, all.omega, all.sorryInhibit], [true, true, true]);
  const mark = `virtual_server fwmark 5 {\nlb_algo rr\nlb_kind NAT\nha_suspend\n${RS}\n}`;
  assert.equal(findings(mark), [
    'warning 4:1 ha_suspend is not for marks: it has no effect, as in keepalived',
  ]);
  assert.match(findings(service(`sorry_server_inhibit\n${RS}`)).join(), /has no effect without sorry_server/);
  assert.match(
    findings(service(`persistence_engine sip\n${RS}`)).join(),
    /no effect without persistence_timeout/,
  );
});

test('lvs_timeouts: what is written, in seconds', () => {
  const { global } = configured(`global_defs {\nlvs_timeouts tcp 900 udp 0\nlvs_flush\n}\n${service(RS)}`);
  assert.equal([global.timeouts, global.flush], [{ tcp: 900, udp: 0 }, true]);
});

test.run();
