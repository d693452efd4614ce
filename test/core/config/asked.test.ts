import * as assert from 'uvu/assert';
import { build } from '../../../src/core/config/build.ts';
import { type Facts, NO_HOST } from '../../../src/core/config/facts.ts';
import { Findings } from '../../../src/core/config/findings.ts';
import { root } from '../../../src/core/config/grammar/root.ts';
import { type KeywordEntry, keywordsOf } from '../../../src/core/config/keywords.ts';
import { parse } from '../../../src/core/config/parse.ts';
import type { Argument } from '../../../src/core/config/schema.ts';
import type { Line } from '../../../src/core/config/source.ts';
import { Section, type Statement } from '../../../src/core/config/tree.ts';
import { Prng } from '../../../src/core/prng.ts';
import { suite } from '../../suite.ts';
import { KEY_FILE, memoryReader } from './memory.ts';

/**
 * Every keyword of the tables is asked for by `build`, unless it is marked as one that nothing acts on: what the parser
 * knows and `build` forgets would be accepted in silence, and do nothing.
 */
const test = suite('keywords that are asked for');

const POOL = [
  ...['1', '2', '5', '80', '100', '0.5', '100-200', '50%', 'on', 'eth0', 'eth1', '10.0.0.1', '10.0.0.2/24'],
  ...[
    'fe80::1',
    '2001:db8::/64',
    '224.0.0.9',
    '10.0.0.1-9',
    'A',
    '/run/x',
    '"/bin/x a"',
    'root',
    'PASS',
    'dev',
  ],
  ...[
    'table',
    'from',
    'to',
    'id',
    'inst',
    'all',
    'hex:00',
    'ab',
    '0123456789abcdef0123456789abcdef',
    'weight',
  ],
  ...['"0 3 * * *"', '1h', '5000', 'x@example.net', '02:00:00:00:00:01', 'RR', '200-299'],
];
const CHECKS = 'TCP_CHECK {\n}\nHTTP_GET {\nurl {\npath /\n}\n}\n';
/** What a block needs before it means anything. */
const NEEDED: Readonly<Record<string, string>> = {
  vrrp_instance: 'interface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n10.0.0.1\n}\n',
  vrrp_script: 'script "/bin/x a"\n',
  vrrp_track_process: 'process x\n',
  track_file: 'file /run/x\n',
  bfd_instance: 'neighbor_ip 10.0.0.9\n',
  vrrp_sync_group: 'group {\nA\n}\n',
  heartbeat: `director A 10.0.0.1\ndirector b 10.0.0.9\nkey_file ${KEY_FILE}\nname A\n`,
  fence_device: 'agent fence_dummy\ntarget A\n',
  witness: 'address 10.0.0.7\n',
  sync_relay: `key_file ${KEY_FILE}\nlocal 10.0.0.1\npeer 10.0.0.9\n`,
  virtual_server: `protocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 10.0.0.3 80 {\n${CHECKS}}\n`,
  real_server: CHECKS,
  HTTP_GET: 'url {\npath /\n}\n',
  SSL_GET: 'url {\npath /\n}\n',
  url: 'path /\nregex a\n',
  MISC_CHECK: 'misc_path /bin/true\n',
  auth_hmac: 'key 1 0123456789abcdef0123456789abcdef\n',
};
/** What stands beside a keyword: some are asked for only where there is something that they are about. */
const BESIDE = `global_defs {
notification_email {
root@example.net
}
smtp_server 10.0.0.9
}
heartbeat {
director A 10.0.0.1
director b 10.0.0.9
key_file ${KEY_FILE}
name A
}
fence_device Z {
agent fence_dummy
target A
}
${Object.entries(NEEDED)
  .filter(([name]) => /^(vrrp_instance|virtual_server)$/.test(name))
  .map(([name, needed]) => `${name} ${name === 'vrrp_instance' ? 'Z' : '10.0.0.9 80'} {\n${needed}}`)
  .join('\n')}
`;
/** For keywords that count where something else is so. */
const WHERE_THEY_COUNT = [
  'global_defs {\nlvs_sync_daemon eth0\nlvs_bulk_port 8850\nlvs_sync_alarm 9\n}',
  `vrrp_instance A {\n${NEEDED.vrrp_instance}preempt_after_sync 9\n}`,
  'global_defs {\nvrrp_mcast_group6 ff02::99\n}\nvrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n' +
    'virtual_ipaddress {\nfe80::1\n}\n}',
  'vrrp_instance A {\nvrf v\nvirtual_router_id 1\nno_virtual_ipaddress\n}',
  `vrrp_instance A {\n${NEEDED.vrrp_instance}unicast_src_ip 10.0.0.8\nunicast_fault_no_peer\n}`,
  `global_defs {\nvrrp_check_unicast_src\n}\nvrrp_instance A {\n${NEEDED.vrrp_instance}unicast_peer {\n10.0.0.9\n}\n}`,
  `global_defs {\nvrrp_strict\nvrrp_version 3\n}\nvrrp_instance A {\n${NEEDED.vrrp_instance}accept\n}`,
  `vrrp_instance A {\n${NEEDED.vrrp_instance}auth_hmac {\n${NEEDED.auth_hmac}active_key 1\ntime_window 9\n` +
    'anti_replay time\nmode enforce\n}\n}',
  'track_file f {\nfile /run/x\n}\nbfd_instance b {\nneighbor_ip 10.0.0.9\n}\nvirtual_server 10.0.0.9 80 {\n' +
    'protocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 10.0.0.3 80 {\nFILE_CHECK {\ntrack_file f\nweight 2\n}\n' +
    'BFD_CHECK {\nname b\nalpha\n}\n}\n}',
];
/** `build` has no need to ask: they say what is so without them, or are read before the blocks are (expand.ts). */
const NEEDLESS = new Set([
  ...['global_defs process_names', 'vrrp_instance track_src_ip', 'vrrp_instance preempt'],
  ...['global_defs random_seed', 'global_defs include_check'],
]);

/** Everything that is asked about is there. */
const FACTS: Facts = {
  ...NO_HOST,
  program: () => ({ kind: 'found', executable: true }),
  user: () => ({ uid: 0, gid: 0 }),
  group: () => 0,
};

const linesOf = (text: string): Line[] =>
  text.split('\n').map((written, i) => ({
    file: { name: 'test.conf' },
    number: i + 1,
    written,
    text: written,
    pieces: [{ start: 0, end: written.length, writtenStart: 0, writtenEnd: written.length }],
  }));

/** The statements whose keyword the section that has them was asked for. */
const asked = new Set<Statement>();
const statementsOf = Section.prototype.statements as (name: string) => readonly Statement[];
for (const method of ['has', 'token', 'statements', 'all', 'last', 'value', 'items'] as const) {
  const original = Section.prototype[method] as (name: string) => unknown;
  Object.defineProperty(Section.prototype, method, {
    value(this: Section<never>, name: string) {
      for (const statement of statementsOf.call(this, name)) asked.add(statement);
      return original.call(this, name);
    },
  });
}

/** The paths of the keywords of a text that were asked for. */
function askedIn(text: string): Set<string> {
  asked.clear();
  const findings = new Findings();
  const statements = parse(linesOf(text), root, findings);
  build(statements, { findings, facts: FACTS, reader: memoryReader({}) });
  const paths = new Set<string>();
  const walk = (list: readonly Statement[], within: string): void => {
    for (const statement of list.filter((one) => asked.has(one))) {
      const path = `${within}${statement.name}`;
      paths.add(path);
      const { section, spec } = statement;
      if (section === undefined || spec.body?.kind !== 'keywords') continue;
      const names = Object.keys(spec.body.table);
      walk(
        names.flatMap((name) => statementsOf.call(section, name)),
        `${path} `,
      );
    }
  };
  walk(statements, '');
  return paths;
}

const random = new Prng(7);
const wordsOf = (argument: Argument<unknown>): string => {
  if (argument.syntax.startsWith('URL')) return 'http://a:1';
  if (argument.choices !== undefined && random.chance(0.8)) return random.pick(argument.choices);
  return argument.syntax.startsWith('[') && random.chance(0.3) ? '' : random.pick(POOL);
};
const around = (within: readonly string[], inner: string): string =>
  within.reduceRight((text, block) => `${headOf(block, within)} {\n${NEEDED[block] ?? ''}${text}\n}`, inner);

const heads = new Map<string, string>();
/** A block's keyword with arguments that it takes. */
function headOf(name: string, within: readonly string[]): string {
  const at = [...within.slice(0, within.indexOf(name)), name].join(' ');
  return heads.get(at) ?? name;
}

/** A statement of that keyword which the parser takes. */
function statementOf({ within, name, spec }: KeywordEntry): string | undefined {
  for (let tries = 0; tries < 3000; tries++) {
    const head = `${name} ${spec.args.map(wordsOf).join(' ')}`.trim();
    const line =
      spec.body?.kind === 'lines'
        ? `${wordsOf(spec.body.line)} ${random.chance(0.5) ? random.pick(POOL) : ''}`
        : '';
    const text = spec.body === undefined ? head : `${head} {\n${line}\n}`;
    const findings = new Findings();
    const statements = parse(linesOf(around(within, text)), root, findings);
    if (findings.errors > 0 || statements.length === 0 || !isThere(statements, [...within, name])) continue;
    if (spec.body?.kind === 'keywords') heads.set([...within, name].join(' '), head);
    return text;
  }
  return undefined;
}

/** Whether a statement is there whose arguments were right. */
function isThere(statements: readonly Statement[], [name = '', ...rest]: readonly string[]): boolean {
  return statements.some(
    (statement) =>
      statement.name === name &&
      statement.values !== undefined &&
      (rest.length === 0 || isThere(statement.section?.statements(rest[0] as never) ?? [], rest)),
  );
}

/** Old spellings, which the parser replaces by what they stand for, and what stands in blocks of such a name. */
const aliases = new Set(
  keywordsOf(root).flatMap(({ within, name, spec }) =>
    spec.alias === undefined ? [] : [[...within, name].join(' ')],
  ),
);
const isOld = ({ within, name }: KeywordEntry): boolean => {
  const path = [...within, name];
  return path.some((_, i) => aliases.has(path.slice(0, i + 1).join(' ')));
};

test('all of them', () => {
  const works = keywordsOf(root).filter((entry) => entry.status === 'works' && !isOld(entry));
  const found = new Set<string>();
  const untaken: string[] = [];
  for (const entry of works) {
    const path = [...entry.within, entry.name].join(' ');
    const text = statementOf(entry);
    if (text === undefined) untaken.push(path);
    else if (!found.has(path))
      for (const one of askedIn(`${around(entry.within, text)}\n${BESIDE}`)) found.add(one);
  }
  for (const text of WHERE_THEY_COUNT) for (const one of askedIn(text)) found.add(one);
  assert.equal(untaken, [], 'no words were found that they take');
  const paths = works.map(({ within, name }) => [...within, name].join(' '));
  assert.ok(paths.length > 400);
  assert.equal(
    paths.filter((path) => found.has(path) === NEEDLESS.has(path)),
    [],
  );
});

test.run();
