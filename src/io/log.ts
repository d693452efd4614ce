import { closeSync, fstatSync, openSync } from 'node:fs';
import { Writable } from 'node:stream';
import { styleText } from 'node:util';
import winston from 'winston';
import { SystemError } from './errno.ts';
import { AF, sockaddrUnix } from './sockaddr.ts';
import { SOCK, Socket } from './socket.ts';

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

export interface Log {
  /** Each line of the message becomes a record of its own. */
  log(level: LogLevel, message: string): void;
  /** Resolves when everything logged has left the process. */
  close(): Promise<void>;
}

const SYSLOG_SOCKET = '/dev/log';
const STANDARD_ERROR = 2;

/** Whether standard error goes to the journal: the variable alone is inherited by every child of a service. */
function isJournal(): boolean {
  const { dev, ino } = fstatSync(STANDARD_ERROR);
  return process.env.JOURNAL_STREAM === `${dev}:${ino}`;
}

/** Lines for a person at a terminal, or `<N>` prefixes (sd-daemon(3)) when standard error is the journal. */
function consoleFormat(): winston.Logform.Format {
  const journal = isJournal();
  const colour = process.stderr.isTTY === true;
  return winston.format.printf(({ level, message }) => {
    const severity = level as LogLevel;
    if (journal) return `<${SEVERITY[severity]}>${message}`;
    const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
    const text = `${time} ${severity.padEnd(7)} ${message}`;
    return colour ? styleText(PAINT[severity], text) : text;
  });
}

/** RFC 3164 datagrams to the local syslog daemon; what it does not take is lost, as with syslog(3). */
function syslogStream(facility: number, path: string): Writable {
  const socket = new Socket(AF.UNIX, SOCK.DGRAM, 0, 'syslog');
  const to = sockaddrUnix(path);
  const encoder = new TextEncoder();
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      const text = line.trimEnd().replace(/^<(\d)>/, (_, severity) => `<${facility * 8 + Number(severity)}>`);
      try {
        socket.send(encoder.encode(text), to);
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
      }
      done();
    },
    final(done) {
      socket.close();
      done();
    },
  });
}

/** Throws when the file of `-g` can't be written. */
export function openLog(targets: LogTargets): Log {
  const { format, transports } = winston;
  const plain = format.printf(({ level, message }) => `${new Date().toISOString()} ${level} ${message}`);
  const syslog = format.printf(
    ({ level, message }) => `<${SEVERITY[level as LogLevel]}>vipkeeperd[${process.pid}]: ${message}`,
  );
  const sinks: winston.transport[] = [];
  if (targets.console) {
    sinks.push(new transports.Console({ stderrLevels: Object.keys(SEVERITY), format: consoleFormat() }));
  }
  if (targets.syslog) {
    const stream = syslogStream(targets.facility, targets.syslogSocket ?? SYSLOG_SOCKET);
    sinks.push(new transports.Stream({ stream, format: syslog }));
  }
  if (targets.file !== undefined) {
    closeSync(openSync(targets.file, 'a'));
    sinks.push(new transports.File({ filename: targets.file, format: plain }));
  }
  const logger = winston.createLogger({
    levels: SEVERITY,
    level: targets.detail ? 'debug' : 'info',
    silent: sinks.length === 0,
    transports: sinks,
  });
  // A reader that went away, a full disk: what can't be logged must not end the daemon.
  process.stderr.on('error', () => undefined);
  logger.on('error', (error) => logger.error(`the log: ${error.message}`));
  return {
    log: (level, message) => {
      for (const line of message.split('\n')) logger.log(level, line);
    },
    close: () =>
      new Promise((resolve) => {
        logger.once('finish', () => setImmediate(resolve));
        logger.end();
      }),
  };
}
