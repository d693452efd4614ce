import type { ClusterSettings } from '../../fence/settings.ts';
import { secondsText, section, word } from './text.ts';

/** `heartbeat`, and `witness` where there is one. */
export function clusterBlocks(settings: ClusterSettings): string[][] {
  const { witness } = settings;
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
  if (witness === undefined) return [heartbeat];
  const { name, addresses, port } = witness;
  const lines = [`name ${name}`, `address ${addresses.join(' ')}`, `port ${port}`];
  return [heartbeat, section('witness', lines)];
}
