import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Dialogue, Search } from '../../../src/core/check/dialogue.ts';
import { latin1, octets } from '../../../src/core/check/dialogue.ts';
import { judgeDns } from '../../../src/core/check/dns.ts';
import { HttpDialogue, requestText } from '../../../src/core/check/http.ts';
import { echoRequest, isReply } from '../../../src/core/check/ping.ts';
import { judgeScript } from '../../../src/core/check/script.ts';
import type { HttpCheck, MiscCheck, SmtpCheck, UdpCheck } from '../../../src/core/check/settings.ts';
import { SmtpDialogue } from '../../../src/core/check/smtp.ts';
import { judgeReply } from '../../../src/core/check/udp.ts';
import type { CheckResult } from '../../../src/core/check/verdict.ts';
import { ip } from '../../../src/core/ip.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { httpCheck } from './http-check.ts';

const test = suite('dialogues');

const md5 = () => {
  const hash = createHash('md5');
  return { update: (bytes: Uint8Array) => void hash.update(bytes), hex: () => hash.digest('hex') };
};
const http = (check: HttpCheck): HttpDialogue => new HttpDialogue(check, 0, md5);
const smtpCheck: SmtpCheck = { ...httpCheck(), kind: 'smtp', helo: 'me.example' };

function look({ pattern, text, from, judge }: Search): CheckResult {
  pattern.lastIndex = from;
  return judge(pattern.exec(text)?.index);
}

/** What a dialogue says in the end to these parts, after which the server closes, and all that it sent. */
function hold(dialogue: Dialogue, parts: readonly string[]): { said: string; verdict: string } {
  let said = '';
  const steps = [
    () => dialogue.begin(),
    ...parts.map((part) => () => dialogue.feed(octets(part))),
    () => dialogue.close(),
  ];
  for (const step of steps) {
    const { send, search, result: decided } = step();
    said += send === undefined ? '' : latin1(send);
    const result = search === undefined ? decided : look(search);
    if (result !== undefined) return { said, verdict: `${result.verdict}: ${result.reason}` };
  }
  throw new Error('no verdict');
}
const verdict = (check: HttpCheck, ...parts: string[]): string => hold(http(check), parts).verdict;

test('the request: version, Connection, Host of an address and of a name', () => {
  assert.is(
    requestText(httpCheck(), { path: '/a?b', statuses: [], compliant: false }),
    'GET /a?b HTTP/1.0\r\nUser-Agent: vipkeeper\r\nHost: 10.0.0.1:80\r\n\r\n',
  );
  const check = httpCheck({ host: 'x.example' }, { version: '1.1', address: ip('2001:db8::1') });
  const [request] = check.requests;
  if (request === undefined) throw new Error('no request');
  assert.match(requestText(check, request), /HTTP\/1\.1\r\n[\s\S]*Connection: close\r\nHost: x\.example\r\n/);
  const { host: _, ...bare } = request;
  assert.match(requestText(check, bare), /Host: \[2001:db8::1\]:80\r\n/);
  assert.match(requestText({ ...check, version: '1.0C' }, bare), /HTTP\/1\.0\r\n[\s\S]*Connection: close/);
});

test('preliminary responses without end: a limit on all bytes, and each is looked at once', () => {
  const many = octets('HTTP/1.1 100 Continue\r\n\r\n'.repeat(655));
  const before = process.cpuUsage();
  for (let server = 0; server < 20; server++) {
    const dialogue = http(httpCheck());
    const steps = Array.from({ length: 5 }, () => dialogue.feed(many));
    const ends = steps.findIndex(({ result }) => result !== undefined);
    assert.is(
      steps[ends]?.result?.reason,
      'more than 65536 bytes of preliminary responses (status 1xx) and header',
    );
    assert.is(ends, 4);
  }
  const { user, system } = process.cpuUsage(before);
  // 1.3 million bytes: some 20 ms. Looked at again for each response it took 5 s.
  assert.ok(user + system < 1e6, `${(user + system) / 1e3} ms`);
});

test('preliminary responses before the final one, however the bytes are cut', () => {
  const text = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\nLink: x\n\nHTTP/1.1 200 OK\r\n\r\nbody';
  for (let size = 1; size <= text.length; size++) {
    const parts = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
    assert.is(
      verdict(httpCheck({ digest: '841a2d689ad86bd1611447453c22c6fc' }), ...parts),
      'good: status 200',
    );
  }
});

test('statuses: one, a range, several', () => {
  const statuses = [
    { first: 200, last: 204 },
    { first: 404, last: 404 },
  ];
  const at = (status: number): string => verdict(httpCheck({ statuses }), `HTTP/1.1 ${status} X\r\n\r\n`);
  assert.equal([200, 204, 404].map(at), ['good: status 200', 'good: status 204', 'good: status 404']);
  assert.equal([205, 403, 301].map(at), [
    'bad: status 205',
    'bad: status 403',
    'bad: status 301 (redirects are not followed)',
  ]);
});

test('a response ends at its Content-Length, or when the server closes', () => {
  const whole = ['HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc'];
  assert.is(http(httpCheck()).feed(octets(whole.join(''))).result?.verdict, 'good');
  assert.equal(http(httpCheck()).feed(octets('HTTP/1.0 200 OK\n\nabc')), {});
  assert.is(verdict(httpCheck(), 'HTTP/1.0 200 OK\n\nabc'), 'good: status 200');
  assert.is(verdict(httpCheck(), 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\n\r\n'), 'bad: status 503');
});

test('digest and pattern, with offsets', () => {
  const digest = createHash('md5').update('body').digest('hex');
  const response = 'HTTP/1.0 200 OK\r\n\r\nbody';
  assert.is(verdict(httpCheck({ digest }), response), 'good: status 200');
  assert.match(verdict(httpCheck({ digest }), `${response}!`), /but the body's MD5 is/);
  const find = (more: object): string =>
    verdict(
      httpCheck({ body: { pattern: 'b.dy', options: [], inverse: false, from: 0, ...more } }),
      response,
    ).slice(0, 4);
  const begins = response.indexOf('body');
  assert.equal(
    [
      {},
      { inverse: true },
      { from: begins },
      { from: begins + 1 },
      { before: begins },
      { before: begins + 1 },
    ].map(find),
    ['good', 'bad:', 'good', 'bad:', 'bad:', 'good'],
  );
});

test('a mail server: several lines, a refusal, one that talks out of turn', () => {
  const talk = (...parts: string[]) => hold(new SmtpDialogue(smtpCheck), parts);
  assert.equal(talk('220-one\r\n220 two\r\n', '250-a\r\n250 b\r\n', '221 bye\r\n'), {
    said: 'HELO me.example\r\nQUIT\r\n',
    verdict: 'good: answers HELO',
  });
  assert.is(talk('554 no\r\n').verdict, 'bad: greeting "554 no"');
  assert.is(talk('220 x\r\n', '500 what?\r\n').verdict, 'bad: answer to HELO "500 what?"');
  assert.is(talk('220 x\r\n').verdict, 'bad: closed, and no answer to HELO');
  assert.is(talk('220 x\r\n', '250 y\r\n').verdict, 'good: answers HELO');
});

test('how the bytes are cut makes no difference', () => {
  const response = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
  const mail = '220 a\r\n250-b\r\n250 c\r\n221 d\r\n';
  const digest = createHash('md5').update('hello').digest('hex');
  const cut = (text: string, at: readonly number[]): string[] => {
    const places = [0, ...at.map((n) => n % text.length).toSorted((a, b) => a - b), text.length];
    return places.slice(1).map((end, i) => text.slice(places[i], end));
  };
  fc.assert(
    fc.property(fc.array(fc.nat(200), { maxLength: 12 }), (at) => {
      assert.is(verdict(httpCheck({ digest }), ...cut(response, at)), 'good: status 200');
      assert.is(hold(new SmtpDialogue(smtpCheck), cut(mail, at)).verdict, 'good: answers HELO');
    }),
  );
});

test('no bytes make a dialogue throw, go on without end or keep much', () => {
  const likely = fc.constantFrom(
    'HTTP/1.1 ',
    '200 OK',
    '\r\n',
    '\r\n\r\n',
    'Content-Length: ',
    '99999999999999999999',
    '-1',
  );
  const mail = fc.constantFrom('220', '250', '-', ' ', '\n', '\r\n', '221 bye\r\n');
  const part = fc.oneof(
    likely,
    mail,
    fc.string({ unit: 'binary-ascii', maxLength: 30 }),
    fc.constant('x'.repeat(9000)),
  );
  const body = { pattern: 'a+b', options: [], inverse: false, from: 3 };
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      for (const dialogue of [http(httpCheck({ digest: 'none', body })), new SmtpDialogue(smtpCheck)]) {
        const { verdict: end } = hold(dialogue, parts);
        assert.match(end, /^(good|bad): ./);
        assert.ok(end.length < 300, end);
        assert.ok(/^[\x20-\x7e]*$/.test(end), 'a reason is one printable line');
        assert.ok(dialogue.missing().length < 200);
      }
    }),
    { numRuns: repetitions(500, 20_000) },
  );
});

test('UDP replies: beginnings, wildcards, lengths', () => {
  const check = (pattern?: string, least = 0, most = 255): UdpCheck => ({
    ...httpCheck(),
    kind: 'udp',
    reply: { ...(pattern === undefined ? {} : { pattern }), least, most },
  });
  const judge = (settings: UdpCheck, ...bytes: number[]) =>
    judgeReply(settings, Uint8Array.from(bytes)).verdict;
  assert.is(judge(check(), 1, 2), 'good');
  assert.is(judge(check('01x2'), 1, 0xf2, 9), 'good');
  assert.is(judge(check('01x2'), 1, 0xf3), 'bad');
  assert.is(judge(check('0102'), 1), 'good', 'as far as either goes');
  assert.is(judge(check('01', 2), 1), 'bad');
  assert.is(judge(check('01', 0, 1), 1, 1), 'bad');
});

test('DNS replies: ours, an error, not ours', () => {
  assert.is(judgeDns({ id: 1, response: true, status: 'NOERROR' }, 1)?.verdict, 'good');
  assert.is(judgeDns({ id: 1, response: true, status: 'SERVFAIL' }, 1)?.reason, 'SERVFAIL: it failed');
  assert.is(judgeDns({ id: 2, response: true, status: 'NOERROR' }, 1), undefined);
  assert.is(judgeDns({ id: 1, response: false, status: 'NOERROR' }, 1), undefined);
});

test('a script: good, bad, dynamic, too late', () => {
  const check = (dynamic: boolean): MiscCheck => ({ ...httpCheck(), kind: 'misc', command: ['/x'], dynamic });
  const end = (status: number | null) =>
    ({ type: 'exited', status, signal: status === null ? 'SIGKILL' : null }) as const;
  assert.equal(judgeScript(check(true), end(255), false), {
    verdict: 'good',
    reason: 'exit status 255',
    weight: 253,
  });
  assert.is(judgeScript(check(true), end(1), false).verdict, 'bad');
  assert.is(judgeScript(check(false), end(2), false).verdict, 'bad');
  assert.is(judgeScript(check(false), end(null), true).reason, 'took longer than 5 s');
});

test('an echo is answered by its own reply only, whatever else arrives', () => {
  const token = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  for (const family of [4, 6] as const) {
    const echo = { family, id: 7, sequence: 9, token };
    const reply = Uint8Array.from(echoRequest(echo));
    assert.not(isReply(echo, reply, false), 'the request itself');
    reply[0] = family === 4 ? 0 : 129;
    assert.ok(isReply(echo, reply, false));
    const packet = family === 4 ? Uint8Array.of(0x45, ...new Uint8Array(19), ...reply) : reply;
    assert.ok(isReply(echo, packet, true));
    assert.not(isReply({ ...echo, id: 8 }, packet, true));
    assert.not(isReply({ ...echo, sequence: 8 }, packet, true));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, raw) => !isReply(echo, bytes, raw)),
    );
  }
});

test.run();
