import type { IpvsDaemon } from '../netlink/ipvs.ts';
import { DAEMON_STATE } from '../netlink/ipvs.ts';
import type { ShownTimeouts } from '../netlink/ipvs-reply.ts';
import { addressText } from './endpoint.ts';

/** What `-L --timeout` prints. */
export const timeoutsText = ({ tcp, tcpFin, udp }: ShownTimeouts): string =>
  `Timeout (tcp tcpfin udp): ${tcp} ${tcpFin} ${udp}\n`;

/** What `-L --daemon` prints: the master first, nothing when none runs. */
export function daemonsText(daemons: readonly IpvsDaemon[]): string {
  return (['master', 'backup'] as const)
    .flatMap((role) => daemons.filter(({ state }) => state === DAEMON_STATE[role]).map(daemonLine(role)))
    .join('');
}

const daemonLine = (role: string) => (daemon: IpvsDaemon) => {
  const { interface: device, syncId, maxLength = 0, group, port = 0, ttl = 0 } = daemon;
  const address = group === undefined ? '0.0.0.0' : addressText(group);
  return (
    `${role} sync daemon (mcast=${device}, syncid=${syncId}, maxlen=${maxLength}, ` +
    `group=${address}, port=${port}, ttl=${ttl})\n`
  );
};
