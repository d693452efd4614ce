import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { findings } from './memory.ts';

const test = suite('virtual servers whose address nobody holds');

const INSTANCE = `vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    10.0.0.100
  }
  virtual_ipaddress_excluded {
    10.0.0.101
  }
}
`;
const server = (name: string): string => `virtual_server ${name} {
  protocol TCP
  real_server 10.0.1.1 80 {
  }
}
`;
const said = (text: string): string[] => findings(text).filter((line) => line.includes(' holds '));

test('a mistyped address is a warning that names it', () => {
  const line = INSTANCE.split('\n').length;
  assert.equal(said(INSTANCE + server('10.0.0.10 80')), [
    `warning ${line}:16 no vrrp_instance holds 10.0.0.10`,
  ]);
});

test('many are one warning', () => {
  const all = INSTANCE + server('10.0.0.100 80') + server('10.0.0.10 80') + server('10.0.0.11 80');
  assert.is(said(all).length, 1);
  assert.match(said(all)[0] ?? '', /holds 10\.0\.0\.10, nor those of 1 more virtual servers$/);
});

test('held, excluded, static or a mark: nothing is said; nor where there is no instance', () => {
  const statics = 'static_ipaddress {\n  10.0.0.102/24 dev eth0\n}\n';
  for (const name of ['10.0.0.100 80', '10.0.0.101 443', '10.0.0.102 80', 'fwmark 7'])
    assert.equal(said(INSTANCE + statics + server(name)), [], name);
  assert.equal(said(server('10.0.0.10 80')), []);
});

test.run();
