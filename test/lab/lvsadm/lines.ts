import { SPELLINGS, type Spelling } from '../../../src/core/ipvsadm/options.ts';
import type { Prng } from '../../../src/core/prng.ts';
import type { Line } from '../programs/command-lines.ts';

/** Command lines for both programs: systematic ones and drawn ones. */
export const line = (...words: readonly string[]): Line => ({ words, input: '' });

const SERVICES = [
  '192.168.100.1:80',
  '192.168.100.1:443',
  '10.200.0.5:http',
  '192.168.100.1:0',
  '[2001:db8::1]:80',
  '2001:db8::2',
  '192.168.100.1',
];
const SERVERS = [
  '10.0.0.11',
  '10.0.0.12:8080',
  'rs1.example.org:http',
  '192.168.100.1:81',
  '[2001:db8:1::11]:8080',
  '2001:db8:1::12',
  '[::1:2]:9',
  '10.0.0.13:domain',
];
const NUMBERS = [
  '0',
  '1',
  '7',
  '300',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '-1',
  '+5',
  ' 6',
  '',
  'x',
  '1x',
];

/** Values of each option, good ones first. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  'tcp-service': SERVICES,
  'udp-service': [...SERVICES, '192.168.100.1:domain'],
  'sctp-service': [...SERVICES, '192.168.100.1:sgsap', '192.168.100.1:29118'],
  'fwmark-service': ['17', '18', '2147483647', '0', 'abc', '-5', '4294967296', '+19', ''],
  scheduler: [
    'rr',
    'wrr',
    'lc',
    'wlc',
    'lblc',
    'lblcr',
    'dh',
    'sh',
    'mh',
    'sed',
    'nq',
    'fo',
    'ovf',
    'none',
    'nosuch',
    '',
  ],
  persistent: ['60', '360', '2678400', '2678401', '0', 'abc', ''],
  netmask: [
    '255.255.255.0',
    '64',
    '255.255.255.255',
    '128',
    '24',
    '129',
    '0',
    'bad.mask.',
    '0xffff0000',
    '255.255',
  ],
  pe: ['sip', 'nosuch', ''],
  'sched-flags': [
    'flag-1',
    'flag-3',
    'sh-port',
    'sh-fallback,sh-port',
    'mh-fallback,mh-port',
    'flag-1,flag-2',
    'bogus',
    '',
  ],
  'real-server': SERVERS,
  weight: NUMBERS,
  'u-threshold': NUMBERS,
  'l-threshold': NUMBERS,
  'tun-type': ['ipip', 'gue', 'gre', 'bogus'],
  'tun-port': ['6080', ...NUMBERS],
  'mcast-interface': ['lan', 'nosuch', ''],
  'mcast-group': ['224.0.0.81', 'ff02::51', '10.0.0.1', 'fe80::1', 'x', '224.1'],
  'mcast-port': ['8848', ...NUMBERS],
  'mcast-ttl': ['1', '255', ...NUMBERS],
  syncid: ['3', '255', '256', ...NUMBERS],
  'sync-maxlen': ['1400', '65507', '65508', ...NUMBERS],
  'start-daemon': ['master', 'backup', 'foo'],
  'stop-daemon': ['master', 'backup', 'foo'],
};

/** What begins each command's line, good enough for the kernel. */
const START: Readonly<Record<string, readonly string[]>> = {
  'add-service': ['-A', '-t', '192.168.100.7:80'],
  'edit-service': ['-E', '-t', '192.168.100.1:80'],
  'delete-service': ['-D', '-t', '192.168.100.7:80'],
  flush: ['-C'],
  list: ['-L'],
  zero: ['-Z'],
  'add-server': ['-a', '-t', '192.168.100.1:80', '-r', '10.0.0.21'],
  'edit-server': ['-e', '-t', '192.168.100.1:80', '-r', '10.0.0.11'],
  'delete-server': ['-d', '-t', '192.168.100.1:80', '-r', '10.0.0.21'],
  set: ['--set', '0', '0', '0'],
  restore: ['-R'],
  save: ['-S'],
  'start-daemon': ['--start-daemon', 'master', '--mcast-interface', 'lan'],
  'stop-daemon': ['--stop-daemon', 'master'],
};
const COMMANDS = Object.keys(START);
/** Not ipvsadm's, or different on purpose. */
const OURS = ['help', 'version', 'json'];
/** The words that are no commands. */
const OPTIONS = SPELLINGS.filter(({ key }) => !COMMANDS.includes(key) && !OURS.includes(key));

/** The options that belong to a command. */
const SERVICE = /^(scheduler|persistent|netmask|pe|ops|sched-flags|ipv6)$/;
const SERVER = /^(gatewaying|ipip|masquerading|weight|[ul]-threshold|tun-(type|port|.*csum))$/;
const LISTING =
  /^(numeric|connection|timeout|daemon|stats|rate|thresholds|persistent-conn|tun-info|nosort|sort|exact)$/;
const FITTING: Readonly<Record<string, RegExp>> = {
  'add-service': SERVICE,
  'edit-service': SERVICE,
  'add-server': SERVER,
  'edit-server': SERVER,
  list: LISTING,
  save: /^numeric$/,
  'start-daemon': /^(sync|mcast)/,
  'stop-daemon': /^syncid$/,
  zero: /^[tuf].*-service$/,
};
const fits = (command: string, { key }: Spelling): boolean => FITTING[command]?.test(key) ?? false;

/** Services and servers of every kind, so that there is something to list and to trip over. */
export const TABLE: readonly Line[] = `-A -t 192.168.100.1:80 -s wrr
-a -t 192.168.100.1:80 -r 10.0.0.11:8080 -m -w 10 -x 1000 -y 800
-a -t 192.168.100.1:80 -r 10.0.0.12 -g -w 20
-a -t 192.168.100.1:80 -r 10.0.0.14 -i --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 192.168.100.1:80 -r 10.0.0.17 -i --tun-type gre --tun-csum -w 0
-a -t 192.168.100.1:80 -r 2001:db8:1::99 -i -w 65535
-A -t 10.200.0.5:443 -s mh -p 600 -M 255.255.255.0 -b mh-port
-A -t 192.168.100.1:0 -p 120 -s rr
-A -u 192.168.100.1:53 -s rr -o
-a -u 192.168.100.1:53 -r 10.0.0.11:domain -m
-A -u 192.168.100.1:5060 -s rr -p 60 --pe sip
-A --sctp-service 192.168.100.1:29118 -s lc
-a --sctp-service 192.168.100.1:29118 -r 10.0.0.11 -g
-A -f 17 -s sh -p 300 -M 255.255.0.0 -b sh-port
-a -f 17 -r 10.0.0.12:8080 -m -w 3
-A -f 18 -6 -s wlc -b flag-1,flag-3
-a -f 18 -6 -r [2001:db8:1::11]:0 -g
-A -t [2001:db8::1]:80 -s rr -p 50 -M 64
-a -t [2001:db8::1]:80 -r [2001:db8:1:2222:3333:4444:5555:6666]:80 -g
-a -t [2001:db8::1]:80 -r 10.0.0.19 -i`
  .split('\n')
  .map((text) => line(...text.split(' ')));

/**
 * Every value of every option with the commands that take it; options twice and without their value. (Every
 * option with every command, most of which is forbidden, was captured: test/core/ipvsadm/matrix.txt.)
 */
export function systematicLines(): Line[] {
  const long = (option: Spelling, value = VALUES[option.key]?.[0]): string[] =>
    option.argument === 'none' || value === undefined ? [`--${option.long}`] : [`--${option.long}`, value];
  const short = ({ long, short }: Spelling): string => (short === undefined ? `--${long}` : `-${short}`);
  const starts = Object.entries(START);
  return [
    ...starts.flatMap(([command, start]) =>
      OPTIONS.filter((option) => fits(command, option)).flatMap((option) =>
        (VALUES[option.key] ?? []).map((value) => line(...start, ...long(option, value))),
      ),
    ),
    ...['-t', '-u', '--sctp-service', '-f'].flatMap((option) =>
      servicesOf(option).flatMap((service) => ['-A', '-L', '-D'].map((word) => line(word, option, service))),
    ),
    ...SERVERS.flatMap((server) =>
      ['-g', '-i', '-m'].map((way) => line('-a', '-t', '192.168.100.1:80', '-r', server, way)),
    ),
    ...OPTIONS.map((option) => line('-L', ...long(option), ...long(option))),
    ...OPTIONS.map((option) => line('-L', short(option))),
  ];
}

const servicesOf = (option: string): readonly string[] =>
  SPELLINGS.filter(({ long, short }) => option === `--${long}` || option === `-${short}`).flatMap(
    ({ key }) => VALUES[key] ?? [],
  );

/** All ways of looking at a table. */
export const LISTINGS: readonly Line[] = ['', '-n', '-n --nosort', '--nosort', '-n -X', '-c', '-n --sort']
  .concat('-n --stats', '--stats -X', '-n --rate', '--rate -X', '-n --thresholds', '--thresholds')
  .concat(
    '-n --persistent-conn',
    '--persistent-conn',
    '-n --tun-info',
    '--tun-info --nosort',
    '--timeout',
    '--daemon',
  )
  .map((options) => line('-L', ...options.split(' ').filter(Boolean)))
  .concat(line(), line('-S'), line('-S', '-n'));

/** A line drawn by chance: mostly what makes sense, sometimes not. */
export function drawLine(prng: Prng): Line {
  const words = drawWords(prng);
  if (words[0] !== '-R') return line(...words);
  const lines = Array.from({ length: prng.between(0, 5) }, () => drawWords(prng).join(' '));
  return { words, input: lines.join('\n') + prng.pick(['', '\n', '\n\n']) };
}

function drawWords(prng: Prng): string[] {
  const command = prng.pick(COMMANDS);
  const [first = '', ...rest] = START[command] ?? [];
  const words = [first, ...(prng.chance(0.1) ? [] : rest)];
  if (rest[0] === '-t' && prng.chance(0.6)) {
    const option = prng.pick(['-t', '-u', '--sctp-service', '-f']);
    words.splice(1, 2, option, prng.pick(servicesOf(option)));
  }
  if (rest[2] === '-r' && prng.chance(0.6)) words.splice(3, 2, '-r', prng.pick(SERVERS));
  for (let more = prng.between(0, 4); more > 0; more--) {
    const fitting = OPTIONS.filter((option) => fits(command, option));
    const option = prng.pick(fitting.length === 0 || prng.chance(0.15) ? OPTIONS : fitting);
    words.push(...drawSpelling(prng, option));
  }
  if (prng.chance(0.04)) words.push(prng.pick(['extra', '--', '-', '-Z', '--nosuch', '-?']));
  return words;
}

function drawSpelling(prng: Prng, option: Spelling): string[] {
  const values = VALUES[option.key] ?? [''];
  const value = prng.chance(0.7) ? (values[0] ?? '') : prng.pick(values);
  const isShort = option.short !== undefined && prng.chance(0.5);
  const name = isShort ? `-${option.short}` : `--${option.long}`;
  if (option.argument === 'none') return [name];
  if (option.argument === 'optional' && prng.chance(0.5)) return [name];
  if (prng.chance(0.3)) return [`${name}=${value}`];
  return isShort && value !== '' && prng.chance(0.5) ? [name + value] : [name, value];
}
