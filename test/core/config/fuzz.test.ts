import * as assert from 'uvu/assert';
import { root } from '../../../src/core/config/grammar/root.ts';
import { print } from '../../../src/core/config/print.ts';
import type { Keyword, Table } from '../../../src/core/config/schema.ts';
import { Prng } from '../../../src/core/prng.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { loadText } from './memory.ts';

/**
 * Texts made of the language's own words in senseless order: 3,000, or a million with VIPKEEPER_LONG=1. None
 * may throw, and what loads without errors must be printed and read again as the same.
 */
const TEXTS = repetitions(3000, 1_000_000);

/** What arguments are drawn from: good values of every kind, and bad ones. */
const WORDS = [
  ...[
    '1',
    '2',
    '3',
    '50',
    '0',
    '255',
    '-4',
    '0.5',
    '1000',
    '99999999999',
    '100-200',
    'on',
    'off',
    'eth0',
    'eth1',
  ],
  ...[
    '10.0.0.1',
    '10.0.0.2/24',
    '192.0.2.1',
    '10.0.0.1-9',
    'fe80::1',
    '2001:db8::/64',
    '224.0.0.9',
    'default',
  ],
  ...[
    'A',
    'B',
    '"two words"',
    '"/bin/x a \\\'b c\\\'"',
    '/run/x',
    'root',
    'MASTER',
    'BACKUP',
    'PASS',
    'TCP',
    'rr',
    'NAT',
  ],
  ...[
    'reverse',
    'weight',
    'via',
    'dev',
    'table',
    'from',
    'to',
    'fwmark',
    'group',
    'min_ttl',
    'inst',
    'id',
    'all',
  ],
  ...[
    'hex:00',
    `hex:${'ab'.repeat(32)}`,
    '$X',
    '\u0024{Y}',
    '#c',
    '!',
    '"',
    '{',
    '}',
    '\\',
    "'",
    '~SEQ(i,2)',
    '@one',
    'é',
  ],
];
/** What a block needs before it means anything; given more often than chance would. */
const NEEDED: Readonly<Record<string, string>> = {
  vrrp_instance: 'interface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n10.0.0.1\n}',
  vrrp_script: 'script "/bin/x a"',
  track_file: 'file /run/x',
  bfd_instance: 'neighbor_ip 10.0.0.9',
  vrrp_sync_group: 'group { A }',
  virtual_server: 'protocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 10.0.0.2 80 {\n}',
};

const words = (random: Prng, most: number): string =>
  Array.from({ length: random.between(0, most) }, () => random.pick(WORDS)).join(' ');

/** Arguments that the keyword may well accept: its own choices, or a word of the pool. */
function argumentsOf({ args }: Keyword, random: Prng): string {
  const some = args.map(({ choices, syntax }) => {
    if (choices !== undefined && random.chance(0.7)) return random.pick(choices);
    if (syntax === 'NAME') return random.pick(['A', 'B']);
    return syntax.startsWith('[') && random.chance(0.5) ? '' : random.pick(WORDS);
  });
  return random.chance(0.05) ? words(random, 4) : some.join(' ');
}

function statement(name: string, spec: Keyword, random: Prng, depth: number): string {
  const head = `${name} ${argumentsOf(spec, random)}`;
  if (spec.body === undefined) return head;
  const { body } = spec;
  const inside =
    body.kind === 'keywords'
      ? `${random.chance(0.8) ? (NEEDED[name] ?? '') : ''}\n${statements(body.table, random, depth + 1)}`
      : Array.from({ length: random.between(0, 3) }, () => words(random, 4)).join('\n');
  return `${head} {\n${inside}\n}`;
}

function statements(table: Table, random: Prng, depth: number): string {
  const names = Object.keys(table);
  const chosen = Array.from({ length: random.between(0, depth === 0 ? 5 : 3) }, () => random.pick(names));
  return chosen.map((name) => statement(name, table[name] as Keyword, random, depth)).join('\n');
}

/** Now and then a character is lost, or another slips in. */
function damaged(text: string, random: Prng): string {
  if (random.chance(0.7)) return text;
  const at = random.between(0, Math.max(0, text.length - 1));
  return text.slice(0, at) + random.pick(['', '{', '}', '"', '\n', '$', '#']) + text.slice(at + 1);
}

const test = suite('fuzz');

test(`${TEXTS} senseless texts: no exception, and what loads is printed as it was`, () => {
  let loaded = 0;
  for (let seed = 1; seed <= TEXTS; seed++) {
    const random = new Prng(seed);
    const text = damaged(statements(root, random, 0), random);
    try {
      const { configuration, diagnostics } = loadText(text);
      if (configuration === undefined) {
        assert.ok(diagnostics.some(({ severity }) => severity === 'error'));
        continue;
      }
      loaded++;
      assert.equal(loadText(print(configuration)).configuration, configuration);
    } catch (error) {
      throw new Error(`seed ${seed}:\n${text}\n`, { cause: error });
    }
  }
  console.log(`\n  ${loaded} of ${TEXTS} texts load`);
  assert.ok(loaded > TEXTS / 20);
});

test.run();
