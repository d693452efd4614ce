import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import type { Parsed } from '../../../src/core/ipvsadm/args.ts';
import { parseArguments } from '../../../src/core/ipvsadm/args.ts';
import { SPELLINGS } from '../../../src/core/ipvsadm/options.ts';
import { restoreWords } from '../../../src/core/ipvsadm/restore.ts';
import { suite } from '../../suite.ts';
import { capturedLines, NAMES, shellWords } from './captured.ts';

const args = suite('lvsadm: arguments');
const parse = (line: string): Parsed => parseArguments(shellWords(line), NAMES, 'ipvsadm');

function operation(line: string): unknown {
  const parsed = parse(line);
  assert.is(parsed.kind, 'command', line);
  return parsed.kind === 'command' && parsed.command.kind === 'change' ? parsed.command.operation : parsed;
}

for (const line of [...capturedLines('verdicts.txt'), ...capturedLines('matrix.txt')]) {
  const [status = '', words = '', text = ''] = line.split('\t');
  args(`${words || '(nothing)'} -> ${status}`, () => {
    const parsed = parse(words);
    if (status === '0') {
      assert.is(parsed.kind, 'command', JSON.stringify(parsed));
    } else {
      assert.is(parsed.kind, 'refused', JSON.stringify(parsed));
      if (parsed.kind !== 'refused') return;
      assert.equal([parsed.status, parsed.text], [Number(status), text.replaceAll('\\n', '\n')]);
    }
  });
}

args('a dash of typography, as handbooks print it, gets a hint below what ipvsadm says', () => {
  const hint = (word: string): string =>
    `\n${word} begins with a dash of typography: type -, or -- before a long option`;
  const text = (line: string): string => {
    const parsed = parse(line);
    return parsed.kind === 'refused' ? parsed.text : parsed.kind;
  };
  for (const word of ['\u2013stats', '\u2014stats', '\u2212n'])
    assert.is(text(`-L ${word}`), `unexpected argument ${word}${hint(word)}`);
  assert.ok(text('\u2013L').endsWith(hint('\u2013L')));
  assert.is(text('-L stats'), 'unexpected argument stats');
});

args('a service with everything', () => {
  const line = '-A -t 192.168.100.1:443 -s sh -p 600 -M 255.255.255.0 -b sh-fallback,sh-port --pe sip';
  assert.equal(operation(line), {
    op: 'add-service',
    service: {
      key: { family: 4, protocol: 6, address: ip('192.168.100.1'), port: 443 },
      scheduler: 'sh',
      flags: 1 | 8 | 16,
      timeout: 600,
      prefixLength: 24,
      engine: 'sip',
    },
  });
});

args('a mask that is no prefix is kept as it is', () => {
  assert.equal(operation('-A -f 11 -M 24 -p'), {
    op: 'add-service',
    service: {
      key: { family: 4, fwmark: 11 },
      scheduler: 'wlc',
      flags: 1,
      timeout: 360,
      prefixLength: 0,
      netmask: 24,
    },
  });
});

args('a tunnel to the other family takes the port of the service', () => {
  const line =
    '-a -t [2001:db8::1]:80 -r 10.0.0.9:81 -i -w 7 -x 9 -y 8 --tun-type gue --tun-port 6 --tun-csum';
  assert.equal(operation(line), {
    op: 'add-destination',
    service: { family: 6, protocol: 6, address: ip('2001:db8::1'), port: 80 },
    destination: {
      address: ip('10.0.0.9'),
      port: 80,
      method: 2,
      weight: 7,
      upper: 9,
      lower: 8,
      tunnel: { type: 1, port: 6, flags: 1 },
    },
  });
});

args('a real server named before its service has no port yet', () => {
  const server = (line: string): unknown =>
    (operation(line) as { destination: { port: number } }).destination.port;
  assert.is(server('-a -r 10.0.0.13 -t 192.168.100.1:80 -m'), 0);
  assert.is(server('-a -t 192.168.100.1:80 -r 10.0.0.13 -m'), 80);
  assert.is(server('-a -f 7 -r 10.0.0.13:81 -g'), 81);
});

args('daemons and timeouts', () => {
  assert.equal(operation('--start-daemon backup --syncid 3 --mcast-group ff02::51 --mcast-ttl 4'), {
    op: 'start-daemon',
    daemon: { state: 2, interface: 'eth0', syncId: 3, group: ip('ff02::51'), ttl: 4 },
  });
  assert.equal(operation('--set 1 0 3'), { op: 'set-timeouts', timeouts: { tcp: 1, tcpFin: 0, udp: 3 } });
});

args('a host that nobody has looked up yet asks for it', () => {
  const names = { host: () => undefined, port: () => undefined };
  const words = shellWords('-A -t www.example.org:80');
  assert.equal(parseArguments(words, names, 'ipvsadm'), { kind: 'lookup', host: 'www.example.org' });
});

args('only a word that popt refuses leaves the rest of a -R input', () => {
  const isFinal = (line: string): boolean | undefined => {
    const parsed = parse(line);
    return parsed.kind === 'refused' ? parsed.final : undefined;
  };
  assert.is(isFinal('-A --foo'), false);
  assert.is(isFinal('-A'), true);
  assert.is(isFinal('foo'), true);
});

args('lines of -R', () => {
  assert.equal(restoreWords('ipvsadm -A\t-t  1.2.3.4:80\r'), ['-A', '-t', '1.2.3.4:80']);
  assert.equal(restoreWords(' \t'), []);
});

args('any words give a command, a refusal or a question, never an exception', () => {
  const spelling = fc.constantFrom(
    ...SPELLINGS.flatMap(({ long, short }) => [`--${long}`, ...(short === undefined ? [] : [`-${short}`])]),
  );
  const value = fc.constantFrom('1.2.3.4:80', '[::1]:80', '7', 'master', 'sh', 'gue', 'sip', '224.0.0.1', '');
  const words = fc.array(fc.oneof(spelling, value, fc.string()), { maxLength: 12 });
  fc.assert(
    fc.property(words, (line) => {
      const parsed = parseArguments(line, NAMES, 'ipvsadm');
      if (parsed.kind === 'refused') assert.ok([2, 255].includes(parsed.status) && parsed.text !== '');
    }),
    { numRuns: 3000 },
  );
});

args.run();
