import type { IpvsOperation, IpvsServiceKey } from '../netlink/ipvs.ts';
import type { ShownDestination, ShownService } from '../netlink/ipvs-reply.ts';

/** What an `lvsadm` command line asks for. */
export type Command =
  /** One change of the kernel's table. */
  | { readonly kind: 'change'; readonly operation: IpvsOperation }
  | { readonly kind: 'list'; readonly view: View; readonly service?: IpvsServiceKey }
  | {
      readonly kind: 'list-connections';
      readonly numeric: boolean;
      readonly engineData: boolean;
      readonly json: boolean;
    }
  | { readonly kind: 'list-timeouts' | 'list-daemons'; readonly json: boolean }
  | { readonly kind: 'save'; readonly numeric: boolean }
  | { readonly kind: 'restore' | 'help' | 'version' };

export type Layout = 'plain' | 'stats' | 'rate' | 'thresholds' | 'persistent' | 'tunnel';

export interface View {
  readonly layout: Layout;
  readonly numeric: boolean;
  /** Counters in full instead of in K, M, G and T. */
  readonly exact: boolean;
  readonly sorted: boolean;
  /** As data: everything, whatever the layout. */
  readonly json: boolean;
}

/** A service of the kernel's table with all of its destinations, as a listing shows it. */
export interface ListedService {
  readonly service: ShownService;
  readonly destinations: readonly ShownDestination[];
}
