import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import {
  isChosen,
  parseClientChoice,
  parseServiceChoice,
  type SyncChoice,
} from '../../../src/core/sync/choice.ts';
import type { SyncedConnection } from '../../../src/core/sync/connection.ts';
import { suite } from '../../suite.ts';

const CONNECTION: SyncedConnection = {
  protocol: 6,
  flags: 0,
  state: 1,
  client: { address: ip('10.1.0.2'), port: 40080 },
  virtual: { address: ip('192.168.100.1'), port: 80 },
  destination: { address: ip('10.0.0.3'), port: 8080 },
  fwmark: 7,
  timeout: 900,
};

const choice = suite('choice of sync records');

choice('by service, client, state and id', () => {
  const chosen = (each: SyncChoice): boolean => isChosen(CONNECTION, 10, each);
  const service = (text: string): SyncChoice => ({ service: parseServiceChoice(text) ?? 'none' });
  const client = (text: string): SyncChoice => {
    const parsed = parseClientChoice(text);
    return parsed === undefined ? {} : { client: parsed };
  };
  assert.ok(chosen({}));
  for (const yes of ['192.168.100.1', '192.168.100.1:80', 'fwmark 7']) assert.ok(chosen(service(yes)), yes);
  for (const no of ['192.168.100.2', '192.168.100.1:81', 'fwmark 8', '10.0.0.3:8080'])
    assert.not(chosen(service(no)), no);
  for (const yes of ['10.1.0.2', '10.1.0.0/24', '10.1.0.99/24', '0.0.0.0/0'])
    assert.ok(chosen(client(yes)), yes);
  for (const no of ['10.1.0.3', '10.2.0.0/16', '::/0']) assert.not(chosen(client(no)), no);
  assert.ok(chosen({ state: 'ESTABLISHED', syncId: 10 }));
  assert.not(chosen({ state: 'TIME_WAIT' }));
  assert.not(chosen({ syncId: 11 }));
  assert.not(chosen({ ...service('192.168.100.1'), state: 'FIN_WAIT' }), 'all that is said must be true');
});

choice('what is neither an address nor a mark', () => {
  for (const text of ['', 'www', '10.0.0.1:', '10.0.0.1:99999', 'fwmark', 'fwmark x', '10.0.0.0/8'])
    assert.is(parseServiceChoice(text), undefined, text);
  for (const text of ['', '10.0.0.0/33', '10.0.0.1:80']) assert.is(parseClientChoice(text), undefined, text);
});

choice.run();
