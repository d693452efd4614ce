import type { Order } from '../../core/balance/orders.ts';
import { abridge } from '../../core/serving/abridged.ts';
import type { VirtualServerSettings } from '../../core/serving/settings.ts';
import type { CheckConfiguration, ToCheck } from '../messages.ts';

/** Tells the check process what it has to do: of virtual servers that it knows, only which ones. */
export class CheckOrders {
  readonly #send: (message: ToCheck) => boolean;
  #known: readonly VirtualServerSettings[] = [];

  /** `send` says whether the process is told. */
  constructor(send: (message: ToCheck) => boolean) {
    this.#send = send;
  }

  /** Another process has begun: it knows nothing. */
  begun(): void {
    this.#known = [];
  }

  tell(configuration: CheckConfiguration, orders: readonly Order[], detail: boolean): void {
    const { virtualServers } = configuration;
    const told = { ...configuration, virtualServers: abridge(virtualServers, this.#known), orders };
    this.#known = this.#send({ type: 'configure', configuration: told, detail }) ? virtualServers : [];
  }
}
