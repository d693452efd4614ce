/** One configuration with every kind of virtual server: what keepalived 2.2.7 understands of each keyword. */

const SCHEDULERS = [
  ...['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'mh', 'sed', 'nq', 'fo', 'ovf'],
] as const;

const server = (address: string, ...lines: string[]): string => `  real_server ${address} {
${lines.map((line) => `    ${line}\n`).join('')}  }`;

const service = (header: string, ...lines: string[]): string =>
  [`virtual_server ${header} {`, ...lines.map((line) => `  ${line}`), '}'].join('\n');

const tcp = (port: number, ...lines: string[]): string =>
  service(`10.0.0.100 ${port}`, 'protocol TCP', ...lines);

const DIRECT = ['lb_algo rr', 'lb_kind DR'];
const TWO = [server('192.168.1.11'), server('192.168.1.12', 'weight 3')];

const schedulers = SCHEDULERS.map((name, i) =>
  tcp(1000 + i, `${i % 2 === 0 ? 'lb_algo' : 'lvs_sched'} ${name}`, 'lvs_method DR', ...TWO),
);

const flags = [
  tcp(1100, 'lb_algo sh', 'sh-port', 'sh-fallback', 'lb_kind DR', ...TWO),
  tcp(1101, 'lb_algo mh', 'mh-port', 'mh-fallback', 'lb_kind DR', ...TWO),
  tcp(1102, 'lb_algo sh', 'sh-fallback', 'lb_kind DR', ...TWO),
  tcp(1103, ...DIRECT, 'flag-1', ...TWO),
  tcp(1104, ...DIRECT, 'flag-2', 'flag-3', ...TWO),
  tcp(1105, ...DIRECT, 'hashed', ...TWO),
  service('10.0.0.100 1106', 'protocol UDP', ...DIRECT, 'ops', ...TWO),
];

const methods = [
  tcp(1200, 'lb_algo rr', 'lb_kind NAT', server('192.168.1.11 8080'), server('192.168.1.12')),
  tcp(1201, 'lb_algo rr', 'lb_kind TUN', ...TWO),
  tcp(1202, 'lb_algo rr', 'lb_kind TUN type ipip', ...TWO),
  tcp(1203, 'lb_algo rr', 'lb_kind TUN type gue port 6080', ...TWO),
  tcp(1204, 'lb_algo rr', 'lb_kind TUN type gue port 6080 csum', ...TWO),
  tcp(1205, 'lb_algo rr', 'lb_kind TUN type gue port 6080 remcsum', ...TWO),
  tcp(1206, 'lb_algo rr', 'lb_kind TUN type gre', ...TWO),
  tcp(1207, 'lb_algo rr', 'lb_kind TUN type gre csum', ...TWO),
  tcp(
    1208,
    ...DIRECT,
    server('192.168.1.11 1208'),
    server('192.168.1.12 8080', 'lvs_method NAT'),
    server('192.168.1.13', 'lvs_method TUN type gue port 5555 nocsum'),
  ),
];

const transports = [
  service('10.0.0.100 1300', 'protocol UDP', ...DIRECT, ...TWO),
  service('10.0.0.100 1300', 'protocol SCTP', ...DIRECT, ...TWO),
  service('10.0.0.100 1301', ...DIRECT, ...TWO),
  service('10.0.0.100 1302', 'protocol tcp', ...TWO),
  service('fd00::100 1300', 'protocol TCP', 'lb_algo wlc', 'lb_kind NAT', server('fd01::11 8080')),
  service('fd00::100 1301', 'protocol TCP', ...DIRECT, server('fd01::11'), server('fd01::12')),
  // Between families: only a tunnel, which must be written at the real server.
  service('fd00::100 1302', 'protocol TCP', ...DIRECT, server('192.168.1.11', 'lvs_method TUN')),
  service('10.0.0.100 1303', 'protocol TCP', ...DIRECT, server('fd01::11', 'lvs_method TUN'), ...TWO),
];

const marks = [
  service('fwmark 1', ...DIRECT, server('192.168.1.11 80'), server('192.168.1.12')),
  service('fwmark 2', 'lb_algo rr', 'lb_kind NAT', server('192.168.1.11 8080'), server('192.168.1.12')),
  service('fwmark 3', 'ip_family inet6', ...DIRECT, server('fd01::11')),
  service('fwmark 4', ...DIRECT, server('fd01::11')),
  service('fwmark 5', 'persistence_timeout 50', 'lb_algo rr', 'lb_kind TUN', ...TWO),
];

const persistence = [
  tcp(1400, ...DIRECT, 'persistence_timeout 600', ...TWO),
  tcp(1401, ...DIRECT, 'persistence_timeout', ...TWO),
  tcp(1402, ...DIRECT, 'persistence_granularity 255.255.255.0', ...TWO),
  tcp(1403, ...DIRECT, 'persistence_timeout 60', 'persistence_granularity 255.255.0.0', ...TWO),
  service('10.0.0.101', 'protocol TCP', ...DIRECT, ...TWO),
  service(
    'fd00::100 1404',
    'protocol TCP',
    ...DIRECT,
    'persistence_timeout 60',
    'persistence_granularity 64',
    server('fd01::11'),
  ),
  service(
    '10.0.0.100 1405',
    'protocol UDP',
    ...DIRECT,
    'persistence_timeout 60',
    'persistence_engine sip',
    ...TWO,
  ),
];

const weights = [
  tcp(1500, ...DIRECT, 'weight 7', server('192.168.1.11'), server('192.168.1.12', 'weight 0')),
  tcp(
    1501,
    ...DIRECT,
    server('192.168.1.11', 'uthreshold 100', 'lthreshold 50'),
    server('192.168.1.12', 'uthreshold 20', 'weight 65535'),
  ),
];

const group = (name: string, ...lines: string[]): string =>
  [`virtual_server_group ${name} {`, ...lines.map((line) => `  ${line}`), '}'].join('\n');

const groups = [
  group('web', '10.1.0.1 80', '10.1.0.1 443', '10.1.0.10-19 80', '10.1.1.5 80'),
  service('group web', 'protocol TCP', ...DIRECT, ...TWO),
  service('group web', 'protocol UDP', 'lb_algo wrr', 'lb_kind NAT', server('192.168.1.11 8080')),
  group('six', 'fd02::1 80', 'fd02::10-1f 443'),
  service('group six', 'protocol TCP', ...DIRECT, server('fd01::11'), server('fd01::12')),
  group('marks', 'fwmark 11', 'fwmark 12'),
  service('group marks', ...DIRECT, ...TWO),
  group('both', '10.2.0.1 80', 'fwmark 13'),
  service('group both', 'protocol TCP', 'lb_algo sed', 'lb_kind DR', ...TWO),
];

/** Servers that no check has found good: down with `alpha`, or in with weight 0. */
const unreachable = (...lines: string[]): string =>
  server('192.168.1.99 9', ...lines, 'TCP_CHECK {', 'connect_timeout 1', 'delay_loop 2', '}');
const NAT = ['lb_algo rr', 'lb_kind NAT', 'warmup 0'];
const absent = [
  tcp(1600, ...NAT, 'alpha', unreachable(), server('192.168.1.11')),
  tcp(1601, ...NAT, unreachable('alpha'), server('192.168.1.11')),
  tcp(1602, ...NAT, 'alpha', 'inhibit_on_failure', unreachable(), server('192.168.1.11')),
  tcp(1603, ...NAT, unreachable('alpha', 'inhibit_on_failure'), server('192.168.1.11')),
  tcp(1604, ...NAT, 'sorry_server 192.168.1.20 8080', unreachable('alpha')),
  tcp(1605, ...NAT, 'sorry_server 192.168.1.20', 'sorry_server_lvs_method DR', unreachable('alpha')),
  tcp(1606, ...NAT, 'sorry_server 192.168.1.20', 'sorry_server_inhibit', unreachable('alpha')),
  tcp(1607, ...NAT, 'sorry_server 192.168.1.20', 'sorry_server_inhibit', server('192.168.1.11')),
  tcp(
    1608,
    ...NAT,
    'inhibit_on_failure',
    'quorum 3',
    'sorry_server 192.168.1.20 80',
    unreachable('weight 2'),
    server('192.168.1.11', 'weight 2'),
  ),
  tcp(1609, ...NAT, 'quorum 3', unreachable('weight 2', 'alpha'), server('192.168.1.11', 'weight 2')),
];

const GLOBAL = `global_defs {
  router_id balance
  lvs_timeouts tcp 901 tcpfin 121 udp 301
}`;

/** All of it. */
export const EVERY_KIND = [
  GLOBAL,
  ...schedulers,
  ...flags,
  ...methods,
  ...transports,
  ...marks,
  ...persistence,
  ...weights,
  ...groups,
  ...absent,
].join('\n');
