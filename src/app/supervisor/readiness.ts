import { toMillis } from '../../core/time.ts';
import { now, suspended } from '../../io/clock.ts';
import { ServiceNotifier, watchdogTimeout } from '../../io/notify.ts';

/** Tells those who wait for the daemon how far it is: the service manager, and the command that started it. */
export class Readiness {
  readonly #manager = new ServiceNotifier();
  readonly #awaited = new Set<string>();

  /** From now on the service manager is told again and again that it lives, if it wants to know; and at once. */
  watch(): void {
    const timeout = watchdogTimeout(process.pid);
    if (timeout === undefined) return;
    this.#manager.watchdog();
    setInterval(() => this.#manager.watchdog(), toMillis(timeout) / 2);
  }

  /** Another program takes the place of this one, and has as much time for that as this one has between two words. */
  replaced(): void {
    this.reloading();
    if (watchdogTimeout(process.pid) !== undefined) this.#manager.watchdog();
  }

  /** It is ready when these processes work; at once where there are none. */
  expect(roles: readonly string[]): void {
    for (const role of roles) this.#awaited.add(role);
    if (roles.length === 0) this.#ready();
  }

  works(role: string): void {
    if (this.#awaited.delete(role) && this.#awaited.size === 0) this.#ready();
  }

  #ready(): void {
    this.#manager.ready('running');
    if (process.connected) process.send?.({ type: 'ready' });
    if (process.connected) process.disconnect();
  }

  reloading(): void {
    this.#manager.reloading(now() - suspended());
  }

  reloaded(): void {
    this.#manager.ready('running');
  }

  stopping(): void {
    this.#manager.stopping('giving up the virtual addresses');
  }

  /** The start came to nothing: resolves when the command knows. */
  async failed(why: string): Promise<void> {
    if (process.connected) await new Promise((sent) => process.send?.({ failed: why }, sent));
  }
}
