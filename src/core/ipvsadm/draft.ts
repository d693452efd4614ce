import type { Family, Ip } from '../ip.ts';
import { ip } from '../ip.ts';
import {
  DAEMON_STATE,
  IP_PROTOCOL,
  METHOD,
  SERVICE_FLAG,
  TUNNEL_FLAG,
  TUNNEL_TYPE,
} from '../netlink/ipvs.ts';
import type { CommandName, OptionName } from './options.ts';
import { Refusal } from './refusal.ts';
import * as values from './values.ts';

const DEFAULT_PERSISTENCE = 360;
const MAX_SCHEDULER = 15;
const MAX_ENGINE = 16;
const MAX_DEVICE = 15;
export type TunnelType = keyof typeof TUNNEL_TYPE;

/**
 * What the words of a command line have said so far. Words act in the order in which they stand, as ipvsadm's
 * do: `-r` before `-t` knows no service port yet, `-6` wants its `-f` before it.
 */
export class Draft {
  command: CommandName | undefined;
  readonly given = new Set<OptionName>();
  family: Family | undefined;
  protocol = 0;
  address: Ip = ip('0.0.0.0');
  port = 0;
  mark = 0;
  scheduler = '';
  flags = 0;
  timeout = 0;
  /** An IPv4 mask as a number, or an IPv6 prefix length. */
  netmask = 0xffffffff;
  engine = '';
  schedulerFlags = '';
  server: { family: Family; address: Ip; port: number } | undefined;
  method: number = METHOD.directRoute;
  weight = 1;
  upper = 0;
  lower = 0;
  tunnelType: TunnelType = 'ipip';
  tunnelPort = 0;
  tunnelFlags = 0;
  /** DAEMON_STATE. */
  daemonState: number = DAEMON_STATE.master;
  device = '';
  syncId = 0;
  maxLength: number | undefined;
  group: Ip | undefined;
  multicastPort: number | undefined;
  ttl: number | undefined;

  /** Notes an option; each may stand once. */
  give(name: OptionName): void {
    if (this.given.has(name)) throw new Refusal(`multiple '${name}' options specified`);
    this.given.add(name);
  }
}

type Setter = (draft: Draft, argument: string, names: values.NameSource) => void;

function service(protocol: number): Setter {
  return (draft, argument, names) => {
    draft.give('service-address');
    draft.protocol = protocol;
    const endpoint = values.parseEndpoint(argument, protocol, names);
    if (endpoint === undefined) throw new Refusal('illegal virtual server address[:port] specified');
    draft.family = endpoint.family;
    draft.address = endpoint.address;
    draft.port = endpoint.port ?? 0;
    if (endpoint.family === 6) draft.netmask = 128;
  };
}

function number(
  name: OptionName,
  min: number,
  max: number,
  set: (draft: Draft, value: number) => void,
  called: string = name,
): Setter {
  return (draft, argument) => {
    draft.give(name);
    set(draft, values.numberOr(`illegal ${called} specified`, argument, min, max));
  };
}

function text(name: OptionName, max: number, set: (draft: Draft, value: string) => void): Setter {
  return (draft, argument) => {
    draft.give(name);
    set(draft, argument.slice(0, max));
  };
}

function method(value: number): Setter {
  return (draft) => {
    draft.give('forwarding-method');
    draft.method = value;
  };
}

function checksum(name: OptionName, value: number): Setter {
  return (draft) => {
    draft.give(name);
    draft.tunnelFlags |= value;
  };
}

const note =
  (name: OptionName): Setter =>
  (draft) =>
    draft.give(name);

/** What each option does to the draft; the key is its `Spelling`'s. */
export const SETTERS: Readonly<Record<string, Setter>> = {
  'tcp-service': service(IP_PROTOCOL.tcp),
  'udp-service': service(IP_PROTOCOL.udp),
  'sctp-service': service(IP_PROTOCOL.sctp),
  'fwmark-service': (draft, argument) => {
    draft.give('service-address');
    draft.family = 4;
    draft.protocol = IP_PROTOCOL.tcp;
    draft.mark = values.parseMark(argument);
  },
  ipv6: (draft) => {
    if (draft.mark === 0) throw new Refusal('-6 used before -f\n');
    draft.family = 6;
    draft.address = ip('::');
    draft.netmask = 128;
  },
  scheduler: text('scheduler', MAX_SCHEDULER, (draft, value) => {
    draft.scheduler = value;
  }),
  persistent: (draft, argument) => {
    draft.give('persistent');
    draft.flags |= SERVICE_FLAG.persistent;
    draft.timeout = values.parseTimeout(argument, 1);
  },
  netmask: (draft, argument, names) => {
    draft.give('netmask');
    draft.netmask = values.parseNetmask(argument, draft.family ?? 4, names);
  },
  pe: text('pe', MAX_ENGINE, (draft, value) => {
    draft.engine = value;
  }),
  ops: (draft) => {
    draft.give('ops');
    draft.flags |= SERVICE_FLAG.onePacket;
  },
  'sched-flags': text('sched-flags', Number.POSITIVE_INFINITY, (draft, value) => {
    draft.schedulerFlags = value;
  }),
  'real-server': (draft, argument, names) => {
    draft.give('real-server');
    const endpoint = values.parseEndpoint(argument, draft.protocol, names);
    if (endpoint === undefined) throw new Refusal('illegal real server address[:port] specified');
    const { family, address, port } = endpoint;
    draft.server = { family, address, port: port ?? draft.port };
  },
  gatewaying: method(METHOD.directRoute),
  ipip: method(METHOD.tunnel),
  masquerading: method(METHOD.masquerade),
  weight: number('weight', 0, values.MAX_INT, (draft, value) => {
    draft.weight = value;
  }),
  'u-threshold': number(
    'u-threshold',
    0,
    values.MAX_INT,
    (draft, value) => {
      draft.upper = value;
    },
    'u_threshold',
  ),
  'l-threshold': number(
    'l-threshold',
    0,
    values.MAX_INT,
    (draft, value) => {
      draft.lower = value;
    },
    'l_threshold',
  ),
  'tun-type': (draft, argument) => {
    draft.give('tun-type');
    if (!Object.hasOwn(TUNNEL_TYPE, argument)) throw new Refusal('illegal tunnel type specified');
    draft.tunnelType = argument as TunnelType;
  },
  'tun-port': number(
    'tun-port',
    1,
    65535,
    (draft, value) => {
      draft.tunnelPort = value;
    },
    'tunnel port',
  ),
  'tun-nocsum': checksum('tun-nocsum', 0),
  'tun-csum': checksum('tun-csum', TUNNEL_FLAG.checksum),
  'tun-remcsum': checksum('tun-remcsum', TUNNEL_FLAG.remoteChecksum),
  numeric: note('numeric'),
  connection: note('connection'),
  timeout: note('timeout'),
  daemon: note('daemon'),
  stats: note('stats'),
  rate: note('rate'),
  thresholds: note('thresholds'),
  'persistent-conn': note('persistent-conn'),
  'tun-info': note('tun-info'),
  nosort: note('nosort'),
  sort: () => {},
  exact: note('exact'),
  json: note('json'),
  'mcast-interface': text('mcast-interface', MAX_DEVICE, (draft, value) => {
    draft.device = value;
  }),
  'mcast-group': (draft, argument) => {
    draft.give('mcast-group');
    draft.group = values.parseMulticastGroup(argument);
  },
  'mcast-port': number('mcast-port', 1, 65535, (draft, value) => {
    draft.multicastPort = value;
  }),
  'mcast-ttl': number('mcast-ttl', 1, 255, (draft, value) => {
    draft.ttl = value;
  }),
  syncid: number('syncid', 0, 255, (draft, value) => {
    draft.syncId = value;
  }),
  'sync-maxlen': number('sync-maxlen', 1, 65507, (draft, value) => {
    draft.maxLength = value;
  }),
};

/** What `-p` without an argument means. */
export const DEFAULT_PERSISTENCE_TEXT = String(DEFAULT_PERSISTENCE);
