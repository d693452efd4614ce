import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { NO_HOST } from '../../../src/core/config/facts.ts';
import { type Loaded, load } from '../../../src/core/config/load.ts';
import { Remembered } from '../../../src/core/config/reuse.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { memoryReader } from './memory.ts';

/**
 * A reload that reads only the virtual servers that changed gives what reading everything gives: configuration,
 * diagnostics and all. The texts are made of few pieces, so that edits make twins, torn blocks and lost braces.
 */

const read = (text: string, remembered?: Remembered, facts = NO_HOST): Loaded => {
  const reader = memoryReader({
    'test.conf': text,
    'more.conf': 'virtual_server 10.0.9.9 80 {\n  protocol TCP\n}\n',
  });
  return load({ file: 'test.conf', reader, facts, configId: 'one', ...(remembered && { remembered }) });
};

/** Header, settings and servers of a block in lines; most of them are in order. */
const server = fc.constantFrom(
  ['  real_server 192.0.2.1 80 {', '    weight 1', '  }'],
  ['  real_server 192.0.2.2 80 {', '    weight 2', '    TCP_CHECK {', '    }', '  }'],
  ['  real_server 192.0.2.3 80 {', '  }', '  real_server 192.0.2.4 80 {', '  }'],
);
const rareServer = fc.constantFrom(
  ['  real_server 192.0.2.5 80 {', '    MISC_CHECK {', '      misc_path /bin/true', '    }', '  }'],
  ['  real_server 192.0.2.6 80 {', '    notify_up /bin/true', '  }'],
  ['  real_server 192.0.2.7 80 {', '    FILE_CHECK {', '      track_file f', '    }', '  }'],
  ['  quorum_up "/bin/true', '  weight x', '  sorry_server 192.0.2.9 $PORT', '  }'],
);
const header = fc.constantFrom(
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `virtual_server 10.0.0.${n} 80 {`),
  'virtual_server fwmark 1 {',
  'virtual_server group g {',
);
const block = fc
  .tuple(
    header,
    fc.oneof({ weight: 12, arbitrary: server }, { weight: 1, arbitrary: rareServer }),
    fc.constantFrom('TCP', 'UDP'),
  )
  .map(([head, body, protocol]) => [
    head,
    ...(head.includes('fwmark') ? [] : [`  protocol ${protocol}`]),
    '  lb_algo rr',
    '  lb_kind NAT',
    ...body,
    '}',
  ]);
const other = fc.constantFrom(
  ['virtual_server_group g {', '  10.0.1.1 80', '}'],
  ['global_defs {', '  router_id a', '}'],
  ['global_defs {', '  checker_log_all_failures', '}'],
  ['track_file f {', '  file /f', '}'],
  ['use_pid_dir'],
  ['linkbeat_use_polling'],
  ['$PORT=81'],
  ['# a comment', ''],
  ['include more.conf'],
  [
    'vrrp_instance V {',
    '  interface e',
    '  virtual_router_id 1',
    '  track_quorum {',
    '    10.0.0.1 80',
    '  }',
    '}',
  ],
);
const file = fc
  .array(fc.oneof({ weight: 6, arbitrary: block }, { weight: 1, arbitrary: other }), { maxLength: 9 })
  .map((pieces) => pieces.flat());

/** An edit of the lines: what an operator does, and what slips. */
type Edit = (lines: readonly string[]) => readonly string[];
const at = fc.nat({ max: 60 });
const place = (lines: readonly string[], n: number): number => n % (lines.length + 1);
const insert =
  (n: number, more: readonly string[]): Edit =>
  (lines) => [...lines.slice(0, place(lines, n)), ...more, ...lines.slice(place(lines, n))];
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(at, fc.oneof(block, other)).map(([n, more]) => insert(n, more)),
  fc.tuple(block, fc.boolean()).map(
    ([more, first]): Edit =>
      (lines) =>
        first ? [...more, ...lines] : [...lines, ...more],
  ),
  at.map(
    (n): Edit =>
      (lines) =>
        lines.filter((_, i) => i !== place(lines, n)),
  ),
  at.map(
    (n): Edit =>
      (lines) =>
        lines.map((line, i) => (i === place(lines, n) ? line.replace(/\d+$|\d+(?= \{)/, '7') : line)),
  ),
  fc
    .tuple(at, fc.constantFrom('}', '{', '"', 'weight 3', '  weight 3', 'virtual_server ', '} use_pid_dir'))
    .map(([n, line]) => insert(n, [line])),
  fc.constant<Edit>((lines) => lines),
);

const test = suite('reuse');

test('whatever the files were before, the last is read as if it were the first', () => {
  fc.assert(
    fc.property(file, fc.array(edit, { minLength: 1, maxLength: 6 }), (first, edits) => {
      const remembered = new Remembered();
      let lines: readonly string[] = first;
      assert.equal(read(lines.join('\n'), remembered), read(lines.join('\n')));
      for (const change of edits) {
        lines = change(lines);
        const text = lines.join('\n');
        assert.equal(read(text, remembered), read(text), text);
      }
    }),
    { numRuns: repetitions(1500, 20_000) },
  );
});

const many = (weight: number): string =>
  Array.from({ length: 20 }, (_, n) => {
    const own = n === 10 ? weight : 1;
    const servers = `  real_server 192.0.2.1 80 {\n    weight ${own}\n  }`;
    return `virtual_server 10.0.0.${n} 80 {\n  protocol TCP\n  lb_algo rr\n  lb_kind NAT\n${servers}\n}\n`;
  }).join('');

test('what did not change is the same object, what changed is new, time and again', () => {
  const remembered = new Remembered();
  const servers = (weight: number) => read(many(weight), remembered).configuration?.virtualServers ?? [];
  let before = servers(1);
  for (const weight of [2, 3, 4]) {
    const after = servers(weight);
    assert.is(after.length, 20);
    assert.is(after[10]?.realServers[0]?.destination.weight, weight);
    assert.equal(
      after.flatMap((each, i) => (each === before[i] ? [] : [i])),
      [10],
    );
    before = after;
  }
});

test('a change of anything else reads all again', () => {
  const remembered = new Remembered();
  const [first] = read(many(1), remembered).configuration?.virtualServers ?? [];
  const text = `global_defs {\n  checker_log_all_failures\n}\n${many(1)}`;
  const [second] = read(text, remembered).configuration?.virtualServers ?? [];
  assert.equal(first, second);
  assert.is.not(first, second);
});

test('known blocks between the braces of another are in the wrong place', () => {
  const whole = 'virtual_server 10.9.9.9 80 {\n  protocol TCP\n  lb_algo rr\n  lb_kind NAT\n';
  for (const text of [
    `global_defs {\n${many(1)}}\n`,
    `global_defs {\n}\n${whole}${many(1)}  real_server 192.0.2.1 80 {\n  }\n}\n`,
  ]) {
    const remembered = new Remembered();
    assert.is(read(`global_defs {\n}\n${many(1)}`, remembered).diagnostics.length, 0);
    assert.equal(read(text, remembered), read(text));
    assert.ok(read(text).diagnostics.length > 0);
  }
});

test('the blocks of a group are numbered anew', () => {
  const group = 'virtual_server_group g {\n  10.0.1.1 80\n}\n';
  const [tcp, udp] = ['TCP', 'UDP'].map(
    (protocol) =>
      `virtual_server group g {\n${many(1).split('\n').slice(2, 7).join('\n')}\n  protocol ${protocol}\n}\n`,
  );
  const remembered = new Remembered();
  assert.is(read(`${group}${tcp}${udp}${many(1)}`, remembered).diagnostics.length, 0);
  const text = `${group}${udp}${many(1)}`;
  assert.equal(read(text, remembered), read(text));
});

test('a script is looked for each time', () => {
  const remembered = new Remembered();
  const check = '    MISC_CHECK {\n      misc_path /bin/check\n    }\n';
  const text = many(2).replace('    weight 2\n', check);
  assert.is(read(text, remembered).diagnostics.length, 0);
  const without = { ...NO_HOST, program: () => ({ kind: 'missing' }) as const };
  assert.equal(read(text, remembered, without), read(text, undefined, without));
  assert.is(read(text, remembered, without).diagnostics.length, 1);
});

test.run();
