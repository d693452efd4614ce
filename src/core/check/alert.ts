import type { CheckSettings } from './settings.ts';

/** What keepalived calls a checker in its mails. */
const NAMES: Partial<Record<CheckSettings['kind'], string>> = {
  tcp: 'TCP CHECK',
  udp: 'UDP CHECK',
  ping: 'ICMP CHECK',
  dns: 'DNS_CHECK:',
  file: 'FILE CHECK',
};

/**
 * The text of the mail when a checker goes up or down, in keepalived's words (each of its check_*.c): people filter by
 * them. `reason`: what the checker saw.
 */
export function alertText(settings: CheckSettings, up: boolean, reason: string): string {
  const done = up ? 'succeed' : 'failed';
  switch (settings.kind) {
    case 'http':
      return up ? 'CHECK succeed on service' : 'CHECK failed on service : HTTP request failed';
    case 'smtp':
      return up ? 'CHECK succeed on service' : `CHECK failed on service : ${reason}`;
    case 'misc':
      return `MISC CHECK ${up ? 'succeeded' : 'failed'} on service`;
    case 'bfd':
      return `BFD CHECK ${settings.session} ${up ? 'succeeded' : 'failed'} on service`;
    default:
      return `${NAMES[settings.kind] ?? 'CHECK'} ${done} on service`;
  }
}
