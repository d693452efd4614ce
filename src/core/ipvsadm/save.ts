import type { IpvsServiceKey, IpvsTunnel } from '../netlink/ipvs.ts';
import { IP_PROTOCOL, METHOD, SERVICE_FLAG, TUNNEL_FLAG, TUNNEL_TYPE } from '../netlink/ipvs.ts';
import type { ShownDestination, ShownService } from '../netlink/ipvs-reply.ts';
import type { ListedService } from './command.ts';
import type { NameDirectory } from './endpoint.ts';
import { endpointText } from './endpoint.ts';
import { schedulerFlagNames } from './flags.ts';
import { netmaskText } from './netmask.ts';
import { sortDestinations, sortServices } from './order.ts';

/** The table as `-S` prints it: the command lines that make it, without thresholds, as ipvsadm leaves them out. */
export function saveText(services: readonly ListedService[], names: NameDirectory): string {
  return sortServices(services)
    .flatMap(({ service, destinations }) => {
      const name = serviceOption(service.key, names);
      const protocol = 'fwmark' in service.key ? 0 : service.key.protocol;
      return [
        `-A ${name} -s ${service.scheduler}${serviceOptions(service)}\n`,
        ...sortDestinations(destinations).map(
          (destination) => `-a ${name} -r ${destinationOptions(destination, protocol, names)}\n`,
        ),
      ];
    })
    .join('');
}

function serviceOption(key: IpvsServiceKey, names: NameDirectory): string {
  if ('fwmark' in key) return `-f ${key.fwmark}${key.family === 6 ? ' -6' : ''}`;
  const { tcp, udp } = IP_PROTOCOL;
  const option = key.protocol === tcp ? '-t' : key.protocol === udp ? '-u' : '--sctp-service';
  return `${option} ${endpointText(key.address, key.port, key.protocol, names)}`;
}

function serviceOptions(service: ShownService): string {
  const { flags, scheduler, timeout, engine = '' } = service;
  let text = '';
  if ((flags & SERVICE_FLAG.persistent) !== 0) {
    const mask = netmaskText(service);
    text += ` -p ${timeout}`;
    if (mask !== '') text += ` -M ${mask}`;
  }
  if (engine !== '') text += ` --pe ${engine}`;
  if ((flags & SERVICE_FLAG.onePacket) !== 0) text += ' -o';
  const bits = schedulerFlagNames(flags, scheduler);
  return bits === '' ? text : `${text} -b ${bits}`;
}

function destinationOptions(destination: ShownDestination, protocol: number, names: NameDirectory): string {
  const { address, port, method, weight, tunnel } = destination;
  const way = method === METHOD.masquerade ? '-m' : method === METHOD.tunnel ? '-i' : '-g';
  const text = `${endpointText(address, port, protocol, names)} ${way} -w ${weight}`;
  return method === METHOD.tunnel ? text + tunnelOptions(tunnel) : text;
}

function tunnelOptions(tunnel: IpvsTunnel | undefined): string {
  if (tunnel === undefined || tunnel.type === TUNNEL_TYPE.ipip) return ' --tun-type ipip';
  const { checksum, remoteChecksum } = TUNNEL_FLAG;
  const mode = tunnel.flags === checksum ? 'csum' : tunnel.flags === remoteChecksum ? 'remcsum' : 'nocsum';
  const type = tunnel.type === TUNNEL_TYPE.gue ? `gue --tun-port ${tunnel.port}` : 'gre';
  return ` --tun-type ${type} --tun-${mode}`;
}
