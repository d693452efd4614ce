import * as arg from '../arguments.ts';
import { block, keyword } from '../schema.ts';
import { ours } from './ours.ts';

/** A name of the protocol: it goes over the wire in each heartbeat. */
const name = arg.matching('NAME', 'a name of at most 63 letters, digits, . _ or -', /^[\w.-]{1,63}$/);

const addresses = arg.rest(arg.address, 1);

/** `heartbeat`: what the directors of a cluster say to each other. */
export const heartbeat = ours({
  cluster: keyword("the cluster's name, the same on each director and at the witness", [name], {
    default: 'vipkeeper',
  }),
  director: keyword('a director, and the addresses at which the others reach it', [name, addresses], {
    repeat: true,
  }),
  name: keyword('which of the directors this one is', [name], {
    default: 'the one with an address of this host',
  }),
  key_file: keyword('the key that signs heartbeats: openssl rand -hex 32', [arg.text('FILE')]),
  port: keyword('the UDP port of the directors', [arg.port], { default: '5406' }),
  interval: keyword('time between two heartbeats', [arg.timer(0.01, 10)], {
    default: 'a quarter of the shortest advert_int, 0.025 to 1',
  }),
  longest_promise: keyword(
    'no promise is longer, and a director that starts waits as long before it holds or promises',
    [arg.timer(0.1, 600)],
    { default: '10' },
  ),
  drift_margin: keyword(
    'how much faster one clock may go than another, in percent',
    [arg.integer('N', 0, 50)],
    { default: '1' },
  ),
});

const endpoint = arg.matching(
  'URL',
  'http://HOST:PORT or https://HOST:PORT',
  /^https?:\/\/([\w.-]{1,253}|\[[0-9a-f:.]+\]):\d{1,5}\/?$/i,
);
const path = [arg.text('FILE')] as const;

/** `witness`: who has the last vote of an even number of directors. */
export const witness = ours({
  name: keyword('its name', [name], { default: 'witness, or etcd where that is it' }),
  address: keyword('the addresses at which vipkeeper-witness is reached', [addresses]),
  port: keyword('the UDP port of vipkeeper-witness', [arg.port], { default: '5407' }),
  etcd: keyword('the members of an etcd cluster (3.4 or later) that is the witness', [arg.rest(endpoint, 1)]),
  prefix: keyword(
    'what the keys in etcd begin with: PREFIX/CLUSTER/ROUTER',
    [arg.matching('PREFIX', 'a path such as /vipkeeper', /^\/[\w./-]{0,62}\w$/)],
    { default: '/vipkeeper' },
  ),
  ca_file: keyword('the authorities that sign the certificates of etcd', path, {
    default: 'those that Node knows',
  }),
  cert_file: keyword('our certificate, where etcd wants one', path),
  key_file: keyword('the key of our certificate', path),
  user: keyword('a user of etcd with the right to read and write those keys', [arg.text('NAME', 127)]),
  password_file: keyword("a file whose first line is that user's password", path),
});

export const clusterBlocks = {
  heartbeat: block(
    'what directors say to each other about who may hold the addresses, and to hand them over',
    [],
    heartbeat,
    {
      ours: true,
    },
  ),
  witness: block('who has the last vote of an even number of directors: vipkeeper-witness(8)', [], witness, {
    ours: true,
  }),
};
