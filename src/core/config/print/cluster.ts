import type { ClusterSettings, EtcdSettings, FencingSettings } from '../../fence/settings.ts';
import { onOff, secondsText, section, word } from './text.ts';

/** `heartbeat`, and `witness` where there is one. */
export function clusterBlocks(settings: ClusterSettings): string[][] {
  const { witness, etcd } = settings;
  const heartbeat = section('heartbeat', [
    `cluster ${settings.cluster}`,
    ...settings.directors.map(({ name, addresses }) => `director ${name} ${addresses.join(' ')}`),
    `name ${settings.name}`,
    `key_file ${word(settings.keyFile)}`,
    `port ${settings.port}`,
    `interval ${secondsText(settings.interval)}`,
    `longest_promise ${secondsText(settings.longest)}`,
    `drift_margin ${Math.round(settings.margin * 100)}`,
  ]);
  if (etcd !== undefined) return [heartbeat, etcdBlock(etcd)];
  if (witness === undefined) return [heartbeat];
  const { name, addresses, port } = witness;
  const lines = [`name ${name}`, `address ${addresses.join(' ')}`, `port ${port}`];
  return [heartbeat, section('witness', lines)];
}

function etcdBlock({ name, endpoints, prefix, ...rest }: EtcdSettings): string[] {
  const { ca, certificate, key, user, passwordFile } = rest;
  const line = (keyword: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${keyword} ${word(value)}`];
  return section('witness', [
    `name ${name}`,
    `etcd ${endpoints.join(' ')}`,
    `prefix ${prefix}`,
    ...line('ca_file', ca),
    ...line('cert_file', certificate),
    ...line('key_file', key),
    ...line('user', user),
    ...line('password_file', passwordFile),
  ]);
}

/** What `fencing` says of directors that are silent. */
export const fencingLines = ({ startup, onFailure }: FencingSettings): string[] => [
  `startup_alone ${startup}`,
  `on_fence_failure ${onFailure}`,
];

export const deviceBlocks = ({ devices }: FencingSettings): string[][] => [
  ...devices.map((device) =>
    section(`fence_device ${word(device.name)}`, [
      `agent ${word(device.agent)}`,
      `target ${device.target}`,
      ...Object.entries(device.parameters).map(([name, value]) => `parameter ${name} ${word(value)}`),
      `action ${device.action}`,
      `verify ${onOff(device.verify)}`,
      `level ${device.level}`,
      `timeout ${secondsText(device.timeout)}`,
      `retries ${device.retries}`,
      `delay ${secondsText(device.delay)}`,
      `monitor ${secondsText(device.monitor)}`,
    ]),
  ),
];
