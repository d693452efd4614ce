import * as assert from 'uvu/assert';
import type { CheckSettings } from '../../../src/core/check/settings.ts';
import { type Facts, NO_HOST } from '../../../src/core/config/facts.ts';
import { print } from '../../../src/core/config/print.ts';
import { millis, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { findings, loadText } from './memory.ts';

const test = suite('check settings');

const service = (checks: string, before = '', inServer = '', inService = ''): string => `${before}
virtual_server 192.0.2.1 80 {
protocol TCP
lb_algo rr
lb_kind NAT
${inService}
real_server 10.0.0.1 8080 {
${inServer}
${checks}
}
}`;

function checks(...words: Parameters<typeof service>): readonly CheckSettings[] {
  const { configuration, diagnostics } = loadText(service(...words));
  if (configuration === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const found = configuration.virtualServers[0]?.realServers[0]?.checks ?? [];
  const again = loadText(print(configuration)).configuration;
  assert.equal(again?.virtualServers[0]?.realServers[0]?.checks, found, 'printed and read again');
  return found;
}
const only = (...words: Parameters<typeof service>): CheckSettings => {
  const [check] = checks(...words);
  if (check === undefined) throw new Error('no check');
  return check;
};

const COMMON = {
  address: '10.0.0.1',
  port: 8080,
  timeout: seconds(5),
  period: seconds(60),
  warmup: seconds(60),
  retries: 1,
  retryDelay: seconds(1),
  alpha: false,
};

test('every kind with its defaults', () => {
  const url = { path: '/', statuses: [{ first: 200, last: 299 }], compliant: false };
  const http = {
    kind: 'http',
    ...COMMON,
    retryDelay: seconds(3),
    version: '1.0',
    requests: [url],
    fastRecovery: false,
  };
  assert.equal(only('HTTP_GET {\nurl {\npath /\n}\n}'), http);
  assert.equal(only('SSL_GET {\nurl {\npath /\n}\n}'), { ...http, tls: { sni: false, verify: false } });
  assert.equal(only('SMTP_CHECK {\n}'), { kind: 'smtp', ...COMMON, helo: 'smtpchecker.keepalived.org' });
  const dns = { kind: 'dns', ...COMMON, retries: 3, retryDelay: seconds(60), name: '.', record: 'SOA' };
  assert.equal(only('DNS_CHECK {\n}'), dns);
  assert.equal(only('UDP_CHECK {\n}'), { kind: 'udp', ...COMMON });
  assert.equal(only('PING_CHECK {\n}'), { kind: 'ping', ...COMMON, port: 0 });
  const { address: _a, port: _p, ...timing } = COMMON;
  const misc = {
    kind: 'misc',
    command: ['/bin/true', 'x y'],
    dynamic: false,
    ...timing,
    timeout: seconds(60),
    retries: 0,
  };
  assert.equal(only(`MISC_CHECK {\nmisc_path "/bin/true 'x y'"\n}`), misc);
  const file = { kind: 'file', file: 'f', weight: 3, reverse: true };
  assert.equal(only('FILE_CHECK {\ntrack_file f\n}', 'track_file f {\nfile /x\nweight 3 reverse\n}'), file);
});

test('what a checker says itself', () => {
  const all = [
    'connect_ip 10.9.9.9\nconnect_port 81\nbindto 10.0.0.7\nbind_port 999\nbind_if eth9\nfwmark 7\nconnect_timeout 0.5',
    'delay_loop 2\nwarmup 1\nretry 5\ndelay_before_retry 0.25\nalpha\nlog_all_failures',
  ].join('\n');
  assert.equal(
    only(`UDP_CHECK {\n${all}\npayload 0aFF\nrequire_reply 0xFx\nmin_reply_length 1\nmax_reply_length 9\n}`),
    {
      kind: 'udp',
      ...{ address: '10.9.9.9', port: 81, timeout: millis(500), source: '10.0.0.7', sourcePort: 999 },
      ...{
        device: 'eth9',
        mark: 7,
        period: seconds(2),
        warmup: seconds(1),
        retries: 5,
        retryDelay: millis(250),
      },
      ...{ alpha: true, logAll: true, payload: '0aff', reply: { pattern: '0xfx', least: 1, most: 9 } },
    },
  );
});

test('virtualhost: of the url, the checker, the server, the service', () => {
  const host = (inUrl: string, inCheck: string, inServer: string, inService: string): string | undefined => {
    const check = only(`HTTP_GET {\n${inCheck}\nurl {\npath /\n${inUrl}\n}\n}`, '', inServer, inService);
    return check.kind === 'http' ? check.requests[0]?.host : undefined;
  };
  const [u, c, r, v] = ['u', 'c', 'r', 'v'].map((name) => `virtualhost ${name}.example`) as [
    string,
    string,
    string,
    string,
  ];
  assert.is(host(u, c, r, v), 'u.example');
  assert.is(host('', c, r, v), 'c.example');
  assert.is(host('', '', r, v), 'r.example');
  assert.is(host('', '', '', v), 'v.example');
  assert.is(host('', '', '', ''), undefined);
});

test('an SSL_GET with everything, and the SSL block', () => {
  const ssl = 'SSL {\nca /ca.pem\ncertificate /c.pem\nkey /k.pem\npassword "a b"\n}';
  const url = [
    'path "/a b"\nstatus_code 200 300-399\ndigest 9B3A0C85A887A256D6939DA88AABD8CD',
    String.raw`regex "a\\s+\x22b{2}#"` +
      '\nregex_no_match\nregex_options caseless dotall\nregex_min_offset 4\nregex_max_offset 9',
    'tls_compliant',
  ].join('\n');
  const own = 'http_protocol 1.1\nfast_recovery\nenable_sni\nsni_name s.example\ntls_verify';
  const check = only(`SSL_GET {\n${own}\nurl {\n${url}\n}\nurl {\npath /2\n}\n}`, ssl);
  assert.is(check.kind, 'http');
  if (check.kind !== 'http') return;
  assert.equal(check.tls, {
    ...{ ca: '/ca.pem', certificate: '/c.pem', key: '/k.pem', password: 'a b' },
    ...{ sni: true, name: 's.example', verify: true },
  });
  assert.equal(check.requests[0], {
    path: '/a b',
    statuses: [
      { first: 200, last: 200 },
      { first: 300, last: 399 },
    ],
    digest: '9b3a0c85a887a256d6939da88aabd8cd',
    body: {
      pattern: String.raw`a\s+"b{2}#`,
      options: ['caseless', 'dotall'],
      inverse: true,
      from: 4,
      before: 9,
    },
    compliant: true,
  });
  assert.is(check.requests[1]?.compliant, false);
});

test('several hosts of an SMTP_CHECK are checks of their own, which take over what they do not say', () => {
  const text =
    'SMTP_CHECK {\nhelo_name x\nretry 4\nhost {\nconnect_ip 10.0.0.8\n}\nhost {\nconnect_port 26\nretry 0\n}\n}';
  const made = checks(text).map(
    (check) => check.kind === 'smtp' && [check.address, check.port, check.retries, check.helo],
  );
  assert.equal(made, [
    ['10.0.0.8', 8080, 4, 'x'],
    ['10.0.0.1', 26, 0, 'x'],
  ]);
});

test('a script: who runs it, its timeout, one that is not there', () => {
  const text = 'MISC_CHECK {\nmisc_path /bin/x\nuser 65534 65533\nmisc_timeout 7\nmisc_dynamic\n}';
  const check = only(text, 'global_defs {\nscript_user 1 2\nchecker_log_all_failures\n}');
  assert.ok(check.kind === 'misc' && check.dynamic && check.logAll);
  assert.equal(check.kind === 'misc' && check.user, { uid: 65_534, gid: 65_533 });
  assert.is(check.kind === 'misc' && check.timeout, seconds(7));
  const missing = service('MISC_CHECK {\nmisc_path /nonexistent\n}');
  const bare: Facts = { ...NO_HOST, program: () => ({ kind: 'missing' }) };
  const loaded = loadText(missing, {}, bare).configuration;
  // It is run, and fails: a server that nobody looks at must not count as up.
  const [failing] = loaded?.virtualServers[0]?.realServers[0]?.checks ?? [];
  assert.equal(failing?.kind === 'misc' && failing.command, ['/nonexistent']);
  assert.ok(findings(missing, {}, bare).some((said) => /no \/nonexistent: .* its server is down/.test(said)));
  const words = service('MISC_CHECK {\nmisc_path /bin/echo vs1 two\n}');
  const [spoken] = loadText(words).configuration?.virtualServers[0]?.realServers[0]?.checks ?? [];
  assert.equal(spoken?.kind === 'misc' && [spoken.command, spoken.user], [['/bin/echo'], undefined]);
  assert.match(
    findings(words).join(),
    /^warning 10:21 misc_path: the words after the command have no effect/,
  );
});

test('a script whose user is not there: the check is kept, and says why it fails', () => {
  const lone = 'MISC_CHECK {\nmisc_path /bin/true\nuser wroker\n}';
  const check = only(lone);
  assert.equal(check.kind === 'misc' && check.user, { missing: ['wroker'] });
  const said = /^warning 11:1 there is no user wroker: the check fails, and its server is down/;
  assert.match(findings(service(lone)).join(), said);
  const grouped = only('MISC_CHECK {\nmisc_path /bin/true\nuser 1 wrokers\n}');
  assert.equal(grouped.kind === 'misc' && grouped.user, { missing: ['1', 'wrokers'] });
  // script_user is everybody's who names nobody.
  const head = 'global_defs {\nscript_user wroker\n}';
  const text = (user: string): string => `MISC_CHECK {\nmisc_path /bin/true\n${user}}`;
  const general = only(text(''), head);
  assert.equal(general.kind === 'misc' && general.user, { missing: ['wroker'] });
  assert.equal(only(text('user 1 2\n'), head), only(text('user 1 2\n')));
});

test('what is wrong is said where it stands', () => {
  const wrong = (text: string): string[] => findings(service(text));
  const line = (message: string): RegExp => new RegExp(message);
  const cases: readonly (readonly [string, RegExp])[] = [
    ['HTTP_GET {\n}', line('^error 9:1 HTTP_GET has no url')],
    ['HTTP_GET {\nurl {\n}\n}', line('^error 10:1 url has no path')],
    [
      'HTTP_GET {\nurl {\npath /\nregex "a++"\n}\n}',
      line('^error 12:7 regex: this version does not have possessive'),
    ],
    ['HTTP_GET {\nurl {\npath /\nregex_no_match\n}\n}', line('^warning 12:1 regex_no_match has no effect')],
    ['DNS_CHECK {\nname a..b\n}', line('^error 10:6 a..b is no domain name')],
    ['UDP_CHECK {\nmin_reply_length 3\n}', line('^warning 10:1 min_reply_length counts only with a pattern')],
    ['PING_CHECK {\nconnect_port 7\n}', line('^warning 10:1 connect_port has no effect in PING_CHECK')],
    ['FILE_CHECK {\ntrack_file nosuch\n}', line('^error 10:12 there is no track_file nosuch')],
    ['MISC_CHECK {\n}', line('^error 9:1 MISC_CHECK has no misc_path')],
    ['SMTP_CHECK {\nbindto ::1\n}', line('^error 10:1 bindto is of another family')],
  ];
  for (const [text, expected] of cases) {
    const found = wrong(text);
    assert.ok(
      found.some((each) => expected.test(each)),
      `${text}: ${found.join(' | ')}`,
    );
  }
});

test('sni_name sends a name, unless enable_sni says no; without TLS both have no effect, which is said', () => {
  const tlsOf = (words: string) => {
    const check = only(`SSL_GET {\n${words}\nurl {\npath /\n}\n}`);
    return check.kind === 'http' ? check.tls : undefined;
  };
  assert.equal(tlsOf('sni_name x.example'), { sni: true, name: 'x.example', verify: false });
  assert.equal(tlsOf('sni_name x.example\nenable_sni off'), { sni: false, name: 'x.example', verify: false });
  assert.equal(findings(service('HTTP_GET {\nenable_sni\nsni_name x.example\nurl {\npath /\n}\n}')), [
    'warning 10:1 enable_sni has no effect in HTTP_GET',
    'warning 11:1 sni_name has no effect in HTTP_GET',
  ]);
});

test.run();
