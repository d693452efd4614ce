import type { Stored } from '../../../src/core/fence/etcd.ts';
import type { Heartbeat } from '../../../src/core/fence/heartbeat-codec.ts';
import type { Parts } from '../../../src/core/fence/parts.ts';
import { Witness } from '../../../src/core/fence/witness.ts';
import type { Seal } from '../../../src/core/sealed.ts';
import type { Day } from './day.ts';
import type { Host } from './host.ts';
import { Process } from './process.ts';

/** How heartbeats look on the wire, and that keys are looked at, is the codec's own test. */
const SEAL: Seal = { sign: () => new Uint8Array(32), isGenuine: () => true };
const CLUSTER = 'sim';

/** The witness's process: what `app/witness.ts` wires. */
export class WitnessProcess extends Process {
  readonly #day: Day;
  readonly #parts: Parts | undefined;
  readonly #send: (heartbeat: Heartbeat) => void;
  #witness: Witness | undefined;
  #lives = 0;

  constructor(host: Host, day: Day, parts: Parts | undefined, send: (heartbeat: Heartbeat) => void) {
    super(host);
    this.#day = day;
    this.#parts = parts;
    this.#send = send;
  }

  protected begin(): void {
    const { longest, margin } = this.#day;
    const settings = { longest, margin, name: this.host.name, life: `w${++this.#lives}` };
    this.#witness = new Witness(settings, this.#parts);
    this.#witness.configure(new Map([[CLUSTER, SEAL]]), this.now);
  }

  hear(): void {
    // Interfaces do not matter here.
  }

  receive(heartbeat: Heartbeat): void {
    this.post(() => {
      const reply = this.#witness?.answer(CLUSTER, heartbeat, this.now, this.host.utc);
      if (typeof reply === 'object') this.#send(reply);
    });
  }
}

/** What became of a record that was to be replaced over a revision. */
export type Swapped = { readonly revision: string } | { readonly found: Stored | undefined };

/** The data of an etcd cluster: a revision for each change, and writes that compare. */
export class EtcdData {
  readonly #records = new Map<string, Stored>();
  #revision = 1;

  list(): ReadonlyMap<string, Stored> {
    return new Map(this.#records);
  }

  swap(claim: string, over: string, text: string): Swapped {
    const found = this.#records.get(claim);
    if ((found?.revision ?? '0') !== over) return { found };
    this.#revision += 1;
    const revision = String(this.#revision);
    this.#records.set(claim, { revision, text });
    return { revision };
  }
}
