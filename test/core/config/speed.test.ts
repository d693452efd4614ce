import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { loadText } from './memory.ts';

/** Prints how long a file of 10,000 lines takes; what is tested is that all of it arrives. */
const SERVERS = 238;

const realServer = (i: number, j: number): string => `    real_server 10.${i}.${j}.1 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
            connect_port 80
        }
    }
`;
const virtualServer = (i: number): string => `virtual_server 10.200.${i}.1 80 {
    protocol TCP
    lb_algo rr # round robin
    lb_kind NAT
${[1, 2, 3, 4, 5].map((j) => realServer(i, j)).join('')}
}

`;

const test = suite('speed');

test('10,000 lines', () => {
  const text = Array.from({ length: SERVERS }, (_, i) => virtualServer(i)).join('');
  const began = performance.now();
  const { configuration, diagnostics } = loadText(text);
  const took = performance.now() - began;
  console.log(`\n  ${text.split('\n').length} lines in ${took.toFixed(1)} ms, the first load of the process`);
  assert.equal(diagnostics, []);
  assert.is(configuration?.virtualServers.length, SERVERS);
  assert.ok(configuration?.virtualServers.every(({ realServers }) => realServers.length === 5));
});

test.run();
