import { close, fstatSync, write } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { styleText } from 'node:util';
import winston from 'winston';
import { counted } from '../core/counted.ts';
import { SystemError } from './errno.ts';
import { openRegular } from './regular.ts';
import { AF, sockaddrUnix } from './sockaddr.ts';
import { SOCK, Socket } from './socket.ts';
import { standardError } from './stderr.ts';

/** Syslog's severities (RFC 5424, 6.2.1) under winston's names. */
const SEVERITY = { crit: 2, error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;
export type LogLevel = keyof typeof SEVERITY;

const PAINT: Record<LogLevel, Parameters<typeof styleText>[0]> = {
  crit: ['red', 'bold'],
  error: 'red',
  warning: 'yellow',
  notice: 'cyan',
  info: 'reset',
  debug: 'gray',
};

export interface LogTargets {
  /** `-l`: standard error. */
  readonly console: boolean;
  /** Unless `-G`: the system's log. */
  readonly syslog: boolean;
  /** `-g FILE`. */
  readonly file?: string;
  /** `-D`: debug lines too. */
  readonly detail: boolean;
  /** Syslog facility number, `-S`; 3 is daemon. */
  readonly facility: number;
  /** The unix datagram socket of the syslog daemon; /dev/log when absent. */
  readonly syslogSocket?: string;
}

/** The process that says something, by the name that syslog gets, and when it said so (wall clock, milliseconds). */
export interface Origin {
  readonly process: string;
  readonly pid: number;
  readonly at: number;
}

export interface Log {
  /** Each line of the message becomes a record of its own; of this process and now, where no origin is given. */
  log(level: LogLevel, message: string, origin?: Origin): void;
  /** Resolves when everything logged has left the process, or nobody takes it for two seconds. */
  close(): Promise<void>;
}

const PROGRAM = 'vipkeeperd';
const SYSLOG_SOCKET = '/dev/log';
const STANDARD_ERROR = 2;
/** Text that may wait for a target that takes none (a paused terminal, a slow disk); more lines are lost. */
const MAX_WAITING = 4 << 20;
const CLOSE_LIMIT_MS = 2000;
/** The group may read it, as other files of /var/log. */
const LOG_MODE = 0o640;

/** Where lines go, and what they look like there. */
interface Sink {
  readonly stream: Writable;
  readonly line: (level: LogLevel, message: string, origin: Origin) => string;
}

/** Lines for a person at a terminal, or `<N>` prefixes (sd-daemon(3)) when standard error is the journal. */
function consoleSink(): Sink {
  const journal = isJournal();
  const colour = isatty(STANDARD_ERROR);
  return {
    stream: standardError(),
    line(level, message, { process: name, at }) {
      if (journal) return `<${SEVERITY[level]}>${name}: ${message}`;
      const text = `${localTime(at).replace('T', ' ')} ${level.padEnd(7)} ${name}: ${message}`;
      return colour ? styleText(PAINT[level], text) : text;
    },
  };
}

/** Whether standard error goes to the journal: the variable alone is inherited by every child of a service. */
function isJournal(): boolean {
  const { dev, ino } = fstatSync(STANDARD_ERROR);
  return process.env.JOURNAL_STREAM === `${dev}:${ino}`;
}

/** RFC 3164 datagrams to the local syslog daemon; what it does not take is lost, as with syslog(3). */
function syslogSink(facility: number, path: string): Sink {
  const socket = new Socket(AF.UNIX, SOCK.DGRAM, 0, 'syslog');
  const to = sockaddrUnix(path);
  const encoder = new TextEncoder();
  return {
    stream: new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        try {
          socket.send(encoder.encode(text.trimEnd()), to);
        } catch (error) {
          if (!(error instanceof SystemError)) throw error;
        }
        done();
      },
      final(done) {
        socket.close();
        done();
      },
    }),
    line: (level, message, { process: name, pid }) =>
      `<${facility * 8 + SEVERITY[level]}>${name}[${pid}]: ${message}`,
  };
}

/** Appends to a file; what a full disk does not take is lost. Throws when it can't be opened. */
function fileSink(path: string): Sink {
  const file = openRegular(path, 'append', LOG_MODE);
  return {
    stream: new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => write(file, text, () => done()),
      final: (done) => close(file, () => done()),
    }),
    line: (level, message, { process: name, pid, at }) =>
      `${localTime(at)} ${level} ${name}[${pid}]: ${message}`,
  };
}

/** As an operator's clock shows it, and which clock that is: `2026-11-28T23:26:00.123+01:00`. */
function localTime(at: number): string {
  const offset = -new Date(at).getTimezoneOffset();
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const zone = `${offset < 0 ? '-' : '+'}${[hours, minutes].map((n) => String(n).padStart(2, '0')).join(':')}`;
  return `${new Date(at + offset * 60_000).toISOString().slice(0, -1)}${zone}`;
}

function transportOf({ stream, line }: Sink): winston.transport {
  let lost = 0;
  const bounded = winston.format((info) => {
    if (stream.writableLength <= MAX_WAITING) return info;
    lost += 1;
    return false;
  });
  const printed = winston.format.printf(({ level, message, origin }) => {
    const missing = lost === 0 ? '' : `(${counted(lost, 'line')} before this one lost) `;
    lost = 0;
    return line(level as LogLevel, `${missing}${message}`, origin as Origin);
  });
  return new winston.transports.Stream({ stream, format: winston.format.combine(bounded(), printed) });
}

/** Throws when the file of `-g` can't be written. */
export function openLog(targets: LogTargets): Log {
  const sinks: Sink[] = [];
  if (targets.console) sinks.push(consoleSink());
  if (targets.syslog) sinks.push(syslogSink(targets.facility, targets.syslogSocket ?? SYSLOG_SOCKET));
  if (targets.file !== undefined) sinks.push(fileSink(targets.file));
  const logger = winston.createLogger({
    levels: SEVERITY,
    level: targets.detail ? 'debug' : 'info',
    silent: sinks.length === 0,
    transports: sinks.map(transportOf),
  });
  return {
    log: (level, message, origin = { process: PROGRAM, pid: process.pid, at: Date.now() }) => {
      for (const line of message.split('\n')) logger.log(level, line, { origin });
    },
    async close() {
      const stuck = new Promise<void>((over) => void setTimeout(over, CLOSE_LIMIT_MS).unref());
      const finished = new Promise<void>((ended) => void logger.once('finish', ended).end());
      const out = finished.then(() =>
        Promise.all(sinks.map(({ stream }) => new Promise<void>((ended) => stream.end(ended)))),
      );
      await Promise.race([out, stuck]);
    },
  };
}
