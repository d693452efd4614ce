import type { IpvsOperation } from '../netlink/ipvs.ts';

/** ipvsadm's words for what the kernel answers. Numbers are Linux's errno. */
export const EPERM = 1;
const ENOENT = 2;
const ESRCH = 3;
const ENOMEM = 12;
const EEXIST = 17;
const EINVAL = 22;
const EMSGSIZE = 90;
export const ENOPROTOOPT = 92;
const EOPNOTSUPP = 95;
const EAFNOSUPPORT = 97;

type Asked = IpvsOperation['op'] | 'list' | 'start';

const NO_SERVICE = { [ESRCH]: 'No such service' };
const NO_ENGINE = { [ENOENT]: 'Scheduler or persistence engine not found' };
const NO_DESTINATION = { [ESRCH]: 'Service not defined', [ENOENT]: 'No such destination' };

const SPECIAL: Readonly<Record<Asked, Readonly<Record<number, string>>>> = {
  'add-service': { [EEXIST]: 'Service already exists', ...NO_ENGINE },
  'edit-service': { ...NO_SERVICE, ...NO_ENGINE },
  'delete-service': NO_SERVICE,
  'zero-service': NO_SERVICE,
  'zero-all': NO_SERVICE,
  list: NO_SERVICE,
  'add-destination': { [ESRCH]: 'Service not defined', [EEXIST]: 'Destination already exists' },
  'edit-destination': NO_DESTINATION,
  'delete-destination': NO_DESTINATION,
  'start-daemon': { [EEXIST]: 'Daemon has already run' },
  'stop-daemon': { [ESRCH]: 'No daemon is running' },
  'set-timeouts': {},
  flush: {},
  start: {},
};

const GENERAL: Readonly<Record<number, string>> = {
  [EPERM]: 'Permission denied (you must be root)',
  [EINVAL]: 'Invalid operation.  Possibly wrong module version, address not unicast, ...',
  [ENOPROTOOPT]: 'Protocol not available',
  [ENOMEM]: 'Memory allocation problem',
  [EOPNOTSUPP]: 'Operation not supported with IPv6',
  [EAFNOSUPPORT]: 'Operation not supported with specified address family',
  [EMSGSIZE]: 'Module is wrong version',
};

/** strerror(3) for what IPVS answers besides; Node's own texts differ. */
const SYSTEM: Readonly<Record<number, string>> = {
  2: 'No such file or directory',
  3: 'No such process',
  4: 'Interrupted system call',
  11: 'Resource temporarily unavailable',
  16: 'Device or resource busy',
  17: 'File exists',
  19: 'No such device',
  28: 'No space left on device',
  34: 'Numerical result out of range',
  98: 'Address already in use',
  99: 'Cannot assign requested address',
  100: 'Network is down',
  101: 'Network is unreachable',
  105: 'No buffer space available',
};

/** The line for stderr, without its line feed. */
export function errorText(asked: Asked, errno: number): string {
  return SPECIAL[asked][errno] ?? GENERAL[errno] ?? SYSTEM[errno] ?? `Unknown error ${errno}`;
}

/** When the kernel has no IPVS, or not for this user: two lines. */
export function startErrorText(errno: number): string {
  return (
    `Can't initialize ipvs: ${errorText('start', errno)}\n` +
    'Are you sure that IP Virtual Server is built in the kernel or as module?'
  );
}
