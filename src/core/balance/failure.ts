import type { Operation } from './plan.ts';
import { describeOperation } from './plan.ts';

/**
 * An operation that the kernel refused, in words: what, why, what to do. `code` is the errno's name; the
 * meanings are those of net/netfilter/ipvs/ip_vs_ctl.c.
 */
export function explainFailure(operation: Operation, code: string): string {
  return `cannot ${describeOperation(operation)}: ${reason(operation, code)} (${code})`;
}

function reason(operation: Operation, code: string): string {
  switch (code) {
    case 'EPERM':
      return 'not permitted: CAP_NET_ADMIN is needed';
    case 'EEXIST':
      return 'it exists: somebody else added it just now; it is adopted at the next reading of the table';
    case 'ESRCH':
      return 'the service is gone: somebody else removed it; it is put back at the next reading of the table';
    case 'ENOENT':
      return missing(operation);
    case 'ERANGE':
      return 'the weight or a threshold is out of range, or lthreshold is above uthreshold';
    case 'EAFNOSUPPORT':
      return 'the kernel has no IPv6 for IPVS (CONFIG_IP_VS_IPV6)';
    case 'ENOMEM':
      return 'the kernel has no memory for it';
    case 'EINVAL':
      return invalid(operation);
    default:
      return 'the kernel refuses it';
  }
}

function missing(operation: Operation): string {
  if (operation.kind === 'add service' || operation.kind === 'edit service') {
    const { scheduler, engine } = operation.service;
    const modules = [`ip_vs_${scheduler}`, ...(engine === undefined ? [] : [`ip_vs_pe_${engine}`])];
    const what = engine === undefined ? scheduler : `${scheduler} or persistence engine ${engine}`;
    return `the kernel has no scheduler ${what}; try: modprobe ${modules.join(' ')}`;
  }
  return 'the destination is gone: somebody else removed it';
}

function invalid(operation: Operation): string {
  if (operation.kind === 'add destination' || operation.kind === 'edit destination') {
    return (
      'the address is not unicast, or is link-local, or its family differs from the service (TUN only, and ' +
      'not while a sync daemon runs)'
    );
  }
  return 'the kernel does not accept these settings';
}
