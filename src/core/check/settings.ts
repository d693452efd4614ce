import type { Ip } from '../ip.ts';
import type { Duration } from '../time.ts';

/** What every checker that probes on a schedule has (keepalived's "common checker keywords"). */
export interface CheckTiming {
  /** `delay_loop`: the period between checks. */
  readonly period: Duration;
  /** `warmup`: the first check starts within this after the start, spread evenly. */
  readonly warmup: Duration;
  /** `retry`: further tries before a server that was up is called down. */
  readonly retries: number;
  /** `delay_before_retry`. */
  readonly retryDelay: Duration;
  /** `alpha`: the server counts as down until the first success. */
  readonly alpha: boolean;
  /** `log_all_failures`: also those of a server that is down. */
  readonly logAll?: boolean;
}

/** Where a checker connects to, and from where. */
export interface Connection {
  /** Probe target: `connect_ip` / `connect_port`, or the real server itself. */
  readonly address: Ip;
  readonly port: number;
  /** `connect_timeout`: for the connection, and again for what is said over it. */
  readonly timeout: Duration;
  /** `bindto`: source address. */
  readonly source?: Ip;
  /** `bind_port`: source port. */
  readonly sourcePort?: number;
  /** `bind_if`: source interface. */
  readonly device?: string;
  /** `fwmark`: mark of the probe's packets. */
  readonly mark?: number;
}

/** `TCP_CHECK`: a connection is made and closed. */
export interface TcpCheck extends CheckTiming, Connection {
  readonly kind: 'tcp';
}

/** `regex` and its kin: what is looked for in a body. */
export interface BodyPattern {
  /** As written, in PCRE2's language. */
  readonly pattern: string;
  /** PCRE2's compile options by name. */
  readonly options: readonly string[];
  /** `regex_no_match`: the body must not match. */
  readonly inverse: boolean;
  /** A match begins at this byte or after, and before that one. */
  readonly from: number;
  readonly before?: number;
}

/** A `url` block. */
export interface HttpRequest {
  readonly path: string;
  /** `virtualhost` for this request; the next of checker, real server and service that has one. */
  readonly host?: string;
  readonly statuses: readonly { readonly first: number; readonly last: number }[];
  /** MD5 of the body, 32 hexadecimal digits. */
  readonly digest?: string;
  readonly body?: BodyPattern;
  /** `tls_compliant`: say goodbye as TLS has it. */
  readonly compliant: boolean;
}

/** The `SSL` block: files that TLS checks use. */
export interface TlsFiles {
  readonly password?: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** `SSL_GET` beyond `HTTP_GET`. */
export interface TlsSettings extends TlsFiles {
  /** `enable_sni`: whether a name is sent, and `sni_name`: which, if not the request's host. */
  readonly sni: boolean;
  readonly name?: string;
  /** `tls_verify` (ours): the certificate must be valid for the name. */
  readonly verify: boolean;
}

/** `HTTP_GET` and `SSL_GET`: one request a turn; all of them must succeed. */
export interface HttpCheck extends CheckTiming, Connection {
  readonly kind: 'http';
  readonly version: '1.0' | '1.0C' | '1.1';
  readonly requests: readonly HttpRequest[];
  /** `fast_recovery`: the requests follow each other at once while the server is to come back. */
  readonly fastRecovery: boolean;
  readonly tls?: TlsSettings;
}

/** `SMTP_CHECK`: greeting, HELO, QUIT. */
export interface SmtpCheck extends CheckTiming, Connection {
  readonly kind: 'smtp';
  readonly helo: string;
}

/** `DNS_CHECK`: a query is answered without an error. */
export interface DnsCheck extends CheckTiming, Connection {
  readonly kind: 'dns';
  readonly name: string;
  readonly record: string;
}

/** `UDP_CHECK`: a datagram raises no ICMP error, or is answered. */
export interface UdpCheck extends CheckTiming, Connection {
  readonly kind: 'udp';
  /** Hexadecimal digits. */
  readonly payload?: string;
  /** `require_reply`; a pattern has hexadecimal digits, and `x` for any. */
  readonly reply?: { readonly pattern?: string; readonly least: number; readonly most: number };
}

/** `PING_CHECK`: an ICMP echo is answered. */
export interface PingCheck extends CheckTiming, Connection {
  readonly kind: 'ping';
}

/** `MISC_CHECK`: a program ends with status 0. */
export interface MiscCheck extends CheckTiming {
  readonly kind: 'misc';
  readonly command: readonly string[];
  /** Who runs it; the daemon's own user when absent. `missing`: the words that name nobody: the check fails. */
  readonly user?: { readonly uid: number; readonly gid: number } | { readonly missing: readonly string[] };
  /** `misc_timeout`. */
  readonly timeout: Duration;
  /** `misc_dynamic`: statuses 2 to 255 are good and set the weight. */
  readonly dynamic: boolean;
}

/** `FILE_CHECK`: the number in a `track_file` times `weight` is added to the server's weight. */
export interface FileCheck {
  readonly kind: 'file';
  /** `track_file`: its name. */
  readonly file: string;
  /** 0: a number other than 0 takes the server down. */
  readonly weight: number;
  /** The number counts negative; without a weight, 0 takes the server down. */
  readonly reverse: boolean;
}

/** `BFD_CHECK`: the server is up while a BFD session is. Not on a schedule: news of the session decide. */
export interface BfdCheck {
  readonly kind: 'bfd';
  /** `name`: of the `bfd_instance`. */
  readonly session: string;
  /** `alpha`: the server counts as down until the session is heard of. */
  readonly alpha: boolean;
}

/** Checks that a probe is made for, again and again. */
export type ProbedCheck = TcpCheck | HttpCheck | SmtpCheck | DnsCheck | UdpCheck | PingCheck | MiscCheck;
/** Checks whose state comes from elsewhere whenever it changes. */
export type ReportedCheck = FileCheck | BfdCheck;
/** One checker's settings. */
export type CheckSettings = ProbedCheck | ReportedCheck;

export const isProbed = (check: CheckSettings): check is ProbedCheck =>
  check.kind !== 'file' && check.kind !== 'bfd';
