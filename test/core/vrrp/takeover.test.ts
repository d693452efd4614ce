import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { type Clues, findings, judge, type TakeoverPolicy } from '../../../src/core/vrrp/takeover.ts';
import { suite } from '../../suite.ts';

/** The table of vipkeeperd(8), TAKEOVER, row by row. */
const test = suite('what is made of a silent master');

const VIP = ip('10.0.0.100');
const MASTER = ip('10.0.0.1');
const MAC = '02:00:00:00:00:01';
type Peer = NonNullable<Clues['cluster']['peer']>;
const peer = (more: Partial<Peer> = {}): Peer => ({
  ...{ name: 'a', heard: false, claims: false, off: false, fenced: false },
  ...more,
});
const clues = (more: Partial<Clues> = {}): Clues => ({
  link: { up: true, why: 'eth0 is up' },
  virtual: [{ address: VIP }],
  master: { address: MASTER },
  cluster: {},
  ...more,
});
const SERVED = [{ address: ip('10.0.0.99') }, { address: VIP, mac: MAC }];
const served = (more: Partial<Clues> = {}): Clues => clues({ virtual: SERVED, ...more });
const alive = { address: MASTER, mac: MAC };

/** What `evidence` and `proof` make of the clues. */
const judged = (known: Clues): string[] =>
  (['evidence', 'proof'] as TakeoverPolicy[]).map((policy) => judge(policy, known).verdict);
const both = (verdict: string): string[] => [verdict, verdict];

test('who has no link, or can ask nobody, is the one that is cut off', () => {
  assert.equal(judged(served({ link: { up: false, why: 'eth0 lost its carrier' } })), both('give up'));
  assert.equal(judged(clues({ trouble: 'sendmsg: ENETDOWN', master: alive })), both('give up'));
});

test('addresses that are served on are waited for; their master is fenced where it is silent and can be', () => {
  assert.equal(judged(served()), both('wait'));
  assert.equal(judged(served({ master: alive })), both('wait'));
  assert.equal(judged(served({ cluster: { peer: peer({ fenced: true }) } })), both('fence'));
  assert.equal(judged(served({ cluster: { peer: peer({ fenced: true, heard: true }) } })), both('wait'));
  assert.equal(judged(served({ cluster: { peer: peer({ fenced: true, off: true }) } })), both('wait'));
  assert.match(judge('evidence', served()).why, `${VIP} is served on: ${MAC} answers for it`);
});

test('the word of the master counts where its addresses are not served', () => {
  assert.equal(judged(clues({ cluster: { peer: peer({ off: true }) } })), both('take'));
  assert.equal(judged(clues({ cluster: { peer: peer({ heard: true, claims: true }) } })), both('wait'));
  const fenced = peer({ heard: true, claims: true, fenced: true });
  assert.equal(judged(clues({ cluster: { peer: fenced } })), both('wait'));
  assert.equal(judged(clues({ cluster: { peer: peer({ heard: true }) } })), both('take'));
  const claimed = peer({ claims: true });
  assert.equal(judged(clues({ cluster: { peer: claimed } })), ['take', 'wait'], 'of one that is not heard');
});

test('who still sends connection sync serves on, whatever the link says; its own word counts more', () => {
  const carrier = ip('192.168.1.1');
  assert.equal(judged(clues({ carrier })), both('wait'));
  assert.equal(judged(clues({ carrier, master: alive })), both('wait'));
  assert.equal(judged(clues({ carrier, cluster: { peer: peer({ fenced: true }) } })), both('fence'));
  assert.equal(judged(clues({ carrier, cluster: { peer: peer({ heard: true }) } })), both('take'));
  assert.equal(judged(clues({ carrier, cluster: { peer: peer({ off: true }) } })), both('take'));
  assert.match(judge('evidence', clues({ carrier })).why, '192.168.1.1 still sends connection sync');
  assert.equal(findings(clues({ carrier })).at(-1), {
    of: 'connection sync',
    found: 'comes from 192.168.1.1',
  });
});

test('a host that answers, and whose virtual addresses do not, is proof; one that does not answer is none', () => {
  assert.equal(judged(clues({ master: alive })), both('take'));
  assert.equal(judged(clues()), ['take', 'wait']);
  assert.equal(judged(clues({ cluster: { peer: peer({ fenced: true }) } })), ['take', 'fence']);
});

test('who hears neither the master nor the witness is cut off, unless it can fence', () => {
  const witness = { name: 'w', heard: false };
  assert.equal(judged(clues({ cluster: { witness } })), both('give up'));
  assert.equal(judged(clues({ cluster: { witness: { ...witness, heard: true } } })), ['take', 'wait']);
  assert.equal(judged(clues({ cluster: { witness, peer: peer({ fenced: true }) } })), ['take', 'fence']);
  assert.equal(judged(clues({ cluster: { witness }, master: alive })), both('take'));
});

test('all that is known is told', () => {
  const cluster = { peer: peer({ heard: true, off: true }), witness: { name: 'w', heard: false } };
  assert.equal(
    findings(served({ cluster })).map(({ of, found }) => `${of}: ${found}`),
    [
      'link: eth0 is up',
      '10.0.0.99: no answer',
      `10.0.0.100: ${MAC} answers`,
      '10.0.0.1: no answer',
      'a: heartbeats come, and it is not master',
      'a: was switched off',
      'w: no heartbeats',
    ],
  );
  assert.equal(findings(clues({ trouble: 'no' })).at(-1), { of: 'questions', found: 'no' });
});

test.run();
