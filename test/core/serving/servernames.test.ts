import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { placesOf, whyNone } from '../../../src/core/serving/servernames.ts';
import { suite } from '../../suite.ts';
import { realServer, virtualServer } from './balancer-world.ts';

const test = suite('names of servers');

const six = realServer(9, {
  destination: { address: ip('2001:db8::1'), port: 80, method: 'nat', weight: 1, upper: 0, lower: 0 },
});
const [first] = virtualServer([realServer(1)]).services;
const other = first && { ...first, key: { kind: 'fwmark', mark: 7, family: 4 } as const };
const ALL = [
  virtualServer([realServer(1), realServer(2), six]),
  virtualServer([realServer(1)], { services: other === undefined ? [] : [other] }),
];
const found = (name: string, service?: string): string[] =>
  placesOf(ALL, name, service).map((place) => `${place.server} of ${place.service}`);

test('an address means all of its ports in all virtual servers', () => {
  const everywhere = ['10.0.1.1:80 of tcp 10.0.0.1:80', '10.0.1.1:80 of fwmark 7 inet'];
  assert.equal(found('10.0.1.1'), everywhere);
  assert.equal(found('10.0.1.1:80'), everywhere);
  assert.equal(found('10.0.1.1:81'), []);
  for (const name of ['2001:db8::1', '[2001:db8:0::1]', '[2001:DB8::1]:80', '[2001:db8:0:0::1]:80'])
    assert.equal(found(name), ['[2001:db8::1]:80 of tcp 10.0.0.1:80'], name);
});

test('a virtual server may be named in each way that people know it by', () => {
  for (const service of ['tcp 10.0.0.1:80', '10.0.0.1:80', '10.0.0.1'])
    assert.equal(found('10.0.1.1', service), ['10.0.1.1:80 of tcp 10.0.0.1:80'], service);
  for (const service of ['fwmark 7', 'fwmark 7 inet'])
    assert.equal(found('10.0.1.1', service), ['10.0.1.1:80 of fwmark 7 inet'], service);
  assert.equal(found('10.0.1.1', '10.0.0.2'), []);
});

test('a wrong name gets the nearest right one', () => {
  assert.is(
    whyNone(ALL, '10.0.1.2:8', undefined),
    'there is no real server 10.0.1.2:8: did you mean 10.0.1.2:80?',
  );
  assert.is(
    whyNone(ALL, '[2001:db8::2]:80', undefined).slice(-29),
    'did you mean [2001:db8::1]:80?'.slice(-29),
  );
  assert.match(whyNone(ALL, 'web', undefined), 'there is no real server web; vipkeeper status lists them');
  assert.match(
    whyNone(ALL, '10.0.1.1', '10.0.0.1:8'),
    'no virtual server 10.0.0.1:8: did you mean 10.0.0.1:80?',
  );
});

test.run();
