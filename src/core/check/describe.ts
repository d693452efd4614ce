import { endpointName } from '../ip.ts';
import { describeBfd } from './bfd.ts';
import type { CheckSettings } from './settings.ts';

/** A check in few words, for the log: `tcp check of 10.0.0.2:80`. */
export function describeCheck(check: CheckSettings): string {
  switch (check.kind) {
    case 'http':
      return `${check.tls === undefined ? 'http' : 'https'} check of ${endpointName(check.address, check.port)}`;
    case 'dns':
      return `dns check of ${endpointName(check.address, check.port)} for ${check.name} ${check.record}`;
    case 'ping':
      return `ping of ${check.address}`;
    case 'misc':
      return `script ${check.command.join(' ')}`;
    case 'file':
      return `file check of ${check.file}`;
    case 'bfd':
      return describeBfd(check);
    default:
      return `${check.kind} check of ${endpointName(check.address, check.port)}`;
  }
}
