import { unreachable } from '../assert.ts';
import type {
  Destination,
  ForwardingMethod,
  Protocol,
  Service,
  ServiceKey,
  Tunnel,
} from '../balance/model.ts';
import type { Operation, PresentDestination } from '../balance/plan.ts';
import { familyOf } from '../ip.ts';
import type {
  IpvsDestination,
  IpvsOperation,
  IpvsService,
  IpvsServiceKey,
  IpvsTunnel,
} from '../netlink/ipvs.ts';
import { IP_PROTOCOL, METHOD, SERVICE_FLAG, TUNNEL_FLAG, TUNNEL_TYPE } from '../netlink/ipvs.ts';

/**
 * Between the balancer's words and the kernel's numbers. What the kernel has and the words cannot say is
 * `undefined` (a service) or `beyondModel` (a destination).
 */

const METHODS: Readonly<Record<ForwardingMethod, number>> = {
  nat: METHOD.masquerade,
  dr: METHOD.directRoute,
  tun: METHOD.tunnel,
};
/** The bits that the kernel, or `persistence`, sets by itself. */
const IMPLIED_FLAGS = SERVICE_FLAG.persistent | SERVICE_FLAG.hashed;

export function toIpvsKey(key: ServiceKey): IpvsServiceKey {
  if (key.kind === 'fwmark') return { family: key.family, fwmark: key.mark };
  const { protocol, address, port } = key;
  return { family: familyOf(address), protocol: IP_PROTOCOL[protocol], address, port };
}

export function toIpvsService(service: Service): IpvsService {
  const persistent = service.persistence > 0 ? SERVICE_FLAG.persistent : 0;
  return {
    key: toIpvsKey(service.key),
    scheduler: service.scheduler,
    flags: service.flags | persistent,
    timeout: service.persistence,
    prefixLength: service.granularity,
    ...(service.engine === undefined ? {} : { engine: service.engine }),
  };
}

export function toIpvsDestination(destination: Destination): IpvsDestination {
  const { address, port, method, weight, upper, lower, tunnel } = destination;
  const encapsulation = method === 'tun' ? { tunnel: toIpvsTunnel(tunnel) } : {};
  return { address, port, method: METHODS[method], weight, upper, lower, ...encapsulation };
}

/** An edit that does not say it leaves what was there before, so plain IP in IP is said too. */
function toIpvsTunnel(tunnel: Tunnel | undefined): IpvsTunnel {
  if (tunnel === undefined) return { type: TUNNEL_TYPE.ipip, port: 0, flags: 0 };
  return { type: TUNNEL_TYPE[tunnel.type], port: tunnel.port, flags: CHECKSUMS[tunnel.checksum] };
}

const CHECKSUMS = { nocsum: 0, csum: TUNNEL_FLAG.checksum, remcsum: TUNNEL_FLAG.remoteChecksum } as const;

export function toIpvsOperation(operation: Operation): IpvsOperation {
  switch (operation.kind) {
    case 'add service':
      return { op: 'add-service', service: toIpvsService(operation.service) };
    case 'edit service':
      return { op: 'edit-service', service: toIpvsService(operation.service) };
    case 'remove service':
      return { op: 'delete-service', service: toIpvsKey(operation.key) };
    case 'add destination':
    case 'edit destination':
      return {
        op: operation.kind === 'add destination' ? 'add-destination' : 'edit-destination',
        service: toIpvsKey(operation.key),
        destination: toIpvsDestination(operation.destination),
      };
    case 'remove destination': {
      const { address, port } = operation.destination;
      return { op: 'delete-destination', service: toIpvsKey(operation.key), destination: { address, port } };
    }
    default:
      return unreachable(operation);
  }
}

/** `undefined` for a protocol that has no name here: not ours, and left alone. */
export function fromIpvsKey(key: IpvsServiceKey): ServiceKey | undefined {
  if ('fwmark' in key) return { kind: 'fwmark', mark: key.fwmark, family: key.family };
  const found = Object.entries(IP_PROTOCOL).find(([, number]) => number === key.protocol);
  if (found === undefined) return undefined;
  return { kind: 'address', protocol: found[0] as Protocol, address: key.address, port: key.port };
}

export function fromIpvsService(shown: IpvsService): Service | undefined {
  const key = fromIpvsKey(shown.key);
  if (key === undefined) return undefined;
  return {
    key,
    scheduler: shown.scheduler,
    flags: shown.flags & ~IMPLIED_FLAGS,
    persistence: (shown.flags & SERVICE_FLAG.persistent) === 0 ? 0 : shown.timeout,
    granularity: shown.prefixLength,
    ...(shown.engine === undefined ? {} : { engine: shown.engine }),
  };
}

export function fromIpvsDestination(shown: IpvsDestination): PresentDestination {
  const { address, port, weight, upper, lower } = shown;
  const method = (Object.keys(METHODS) as ForwardingMethod[]).find((name) => METHODS[name] === shown.method);
  const tunnel = method === 'tun' && shown.tunnel !== undefined ? fromIpvsTunnel(shown.tunnel) : undefined;
  const strange = method === undefined || tunnel === 'strange';
  return {
    address,
    port,
    method: method ?? 'nat',
    ...(typeof tunnel === 'object' ? { tunnel } : {}),
    weight,
    upper,
    lower,
    ...(strange ? { beyondModel: true } : {}),
  };
}

/** `undefined` for plain IP in IP; `strange` for what the model has no words for. */
function fromIpvsTunnel({ type, port, flags }: IpvsTunnel): Tunnel | 'strange' | undefined {
  if (type === TUNNEL_TYPE.ipip && flags === 0) return undefined;
  const name = (['gue', 'gre'] as const).find((each) => TUNNEL_TYPE[each] === type);
  const checksum = (['nocsum', 'csum', 'remcsum'] as const).find((each) => CHECKSUMS[each] === flags);
  return name === undefined || checksum === undefined ? 'strange' : { type: name, port, checksum };
}
