import { type Duration, micros } from '../core/time.ts';
import { SystemError } from './errno.ts';
import { AF, sockaddrUnix } from './sockaddr.ts';
import { SOCK, Socket } from './socket.ts';

/** The variables of sd_notify(3) and sd_watchdog_enabled(3). */
export interface ServiceEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/**
 * Tells the service manager how the daemon does (sd_notify(3)); does nothing when none asked. Each method
 * returns the error when the manager could not be told: worth a line in the log, never worth dying for.
 */
export class ServiceNotifier {
  readonly #path: string | undefined;
  #socket: Socket | undefined;

  constructor(environment: ServiceEnvironment = process.env) {
    this.#path = environment.NOTIFY_SOCKET || undefined;
  }

  ready(status: string): Error | undefined {
    return this.#tell(`READY=1\nSTATUS=${oneLine(status)}`);
  }
  status(status: string): Error | undefined {
    return this.#tell(`STATUS=${oneLine(status)}`);
  }
  /** `at` by CLOCK_MONOTONIC; `ready` must follow (systemd.service(5), Type=notify-reload). */
  reloading(at: number): Error | undefined {
    return this.#tell(`RELOADING=1\nMONOTONIC_USEC=${at}`);
  }
  stopping(status: string): Error | undefined {
    return this.#tell(`STOPPING=1\nSTATUS=${oneLine(status)}`);
  }
  watchdog(): Error | undefined {
    return this.#tell('WATCHDOG=1');
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #tell(state: string): Error | undefined {
    if (this.#path === undefined) return undefined;
    try {
      const to = sockaddrUnix(this.#path);
      this.#socket ??= new Socket(AF.UNIX, SOCK.DGRAM, 0, `service manager at ${this.#path}`);
      this.#socket.send(new TextEncoder().encode(state), to);
      return undefined;
    } catch (error) {
      if (error instanceof SystemError || error instanceof RangeError) return error;
      throw error;
    }
  }
}

/** A line feed would begin another assignment. */
const oneLine = (text: string): string => text.replaceAll('\n', ' ');

/**
 * The time within which `watchdog` must be told again and again, half of which is a good period; `undefined`
 * when the manager does not watch this process.
 */
export function watchdogTimeout(
  pid: number,
  environment: ServiceEnvironment = process.env,
): Duration | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID } = environment;
  if (WATCHDOG_USEC === undefined || !/^[1-9]\d{0,14}$/.test(WATCHDOG_USEC)) return undefined;
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return undefined;
  return micros(Number(WATCHDOG_USEC));
}
