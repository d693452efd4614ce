import { closeSync, openSync, write, writeSync } from 'node:fs';
import { type Duration, seconds, toSeconds } from '../core/time.ts';
import { rawio } from './rawio.ts';

/** From <linux/watchdog.h>: _IOWR('W', 6, int) and _IOR('W', 7, int), as most machines number them. */
const WDIOC = { setTimeout: 0xc0045706 | 0, getTimeout: 0x80045707 | 0 } as const;
const INT_BYTES = 4;
const FOOD = Buffer.from([0]);
/** Closed after this it bites nobody, unless the kernel was told that nothing stops it (nowayout). */
const MAGIC = 'V';

/** A watchdog of the kernel: from the moment that it is open it resets this host unless it is fed. */
export class WatchdogDevice {
  /** Without food for so long it bites; `undefined` where the driver does not say. */
  readonly timeout: Duration | undefined;
  readonly #fd: number;
  #eating = false;

  /** Throws what the system refuses: EBUSY where somebody else has it. */
  constructor(device: string, timeout: Duration) {
    this.#fd = openSync(device, 'w');
    const seconds32 = Buffer.alloc(INT_BYTES);
    new DataView(seconds32.buffer, seconds32.byteOffset).setInt32(0, Math.ceil(toSeconds(timeout)), LITTLE);
    const set = rawio.ioctl(this.#fd, WDIOC.setTimeout, seconds32);
    const known = set >= 0 || rawio.ioctl(this.#fd, WDIOC.getTimeout, seconds32) >= 0;
    const found = new DataView(seconds32.buffer, seconds32.byteOffset).getInt32(0, LITTLE);
    this.timeout = known && found > 0 ? seconds(found) : undefined;
  }

  /** In a thread: a driver may take its time. While it eats nothing more is given; `failed` is told what is refused. */
  feed(failed: (error: Error) => void): void {
    if (this.#eating) return;
    this.#eating = true;
    write(this.#fd, FOOD, (error) => {
      this.#eating = false;
      if (error !== null) failed(error);
    });
  }

  /** `disarm`: it is to bite nobody any more. */
  close(disarm: boolean): void {
    if (disarm) writeSync(this.#fd, MAGIC);
    closeSync(this.#fd);
  }
}

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
