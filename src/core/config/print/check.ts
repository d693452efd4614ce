import type {
  BodyPattern,
  CheckSettings,
  CheckTiming,
  Connection,
  HttpCheck,
  HttpRequest,
  MiscCheck,
  ProbedCheck,
  TlsSettings,
  UdpCheck,
} from '../../check/settings.ts';
import { commandText, escapedWord, onOff, secondsText, section, setting, when, word } from './text.ts';

const optionalWord = (keyword: string, text: string | undefined): string[] =>
  setting(keyword, text === undefined ? undefined : word(text));

/** A checker's block. */
export function checkLines(check: CheckSettings): string[] {
  switch (check.kind) {
    case 'bfd':
      return section('BFD_CHECK', [`name ${word(check.session)}`, `alpha ${onOff(check.alpha)}`]);
    case 'file': {
      const weight = `weight ${check.weight} ${check.reverse ? 'reverse' : 'noreverse'}`;
      return section('FILE_CHECK', [`track_file ${word(check.file)}`, weight]);
    }
    case 'tcp':
      return section('TCP_CHECK', common(check));
    case 'http':
      return section(check.tls === undefined ? 'HTTP_GET' : 'SSL_GET', [
        ...common(check),
        ...httpLines(check),
      ]);
    case 'smtp':
      return section('SMTP_CHECK', [...common(check), `helo_name ${word(check.helo)}`]);
    case 'dns':
      return section('DNS_CHECK', [...common(check), `type ${check.record}`, `name ${word(check.name)}`]);
    case 'udp':
      return section('UDP_CHECK', [...common(check), ...udpLines(check)]);
    case 'ping':
      return section('PING_CHECK', common(check));
    case 'misc':
      return section('MISC_CHECK', [
        `misc_path ${commandText({ command: check.command })}`,
        `misc_timeout ${secondsText(check.timeout)}`,
        ...when(check.dynamic, 'misc_dynamic'),
        ...runner(check),
        ...timing(check),
      ]);
  }
}

function runner({ user }: MiscCheck): string[] {
  if (user === undefined) return [];
  const words = 'missing' in user ? user.missing.map(word) : [user.uid, user.gid];
  return [`user ${words.join(' ')}`];
}

const common = (check: Exclude<ProbedCheck, { kind: 'misc' }>): string[] => [
  ...connection(check, check.kind === 'ping'),
  ...timing(check),
];

const connection = (check: Connection, portless: boolean): string[] => [
  `connect_ip ${check.address}`,
  ...when(!portless, `connect_port ${check.port}`),
  `connect_timeout ${secondsText(check.timeout)}`,
  ...setting('bindto', check.source),
  ...setting('bind_port', check.sourcePort),
  ...optionalWord('bind_if', check.device),
  ...setting('fwmark', check.mark),
];

const timing = (check: CheckTiming): string[] => [
  `delay_loop ${secondsText(check.period)}`,
  `warmup ${secondsText(check.warmup)}`,
  `retry ${check.retries}`,
  `delay_before_retry ${secondsText(check.retryDelay)}`,
  `alpha ${onOff(check.alpha)}`,
  ...when(check.logAll === true, 'log_all_failures on'),
];

const httpLines = ({ version, fastRecovery, tls, requests }: HttpCheck): string[] => [
  `http_protocol ${version}`,
  `fast_recovery ${onOff(fastRecovery)}`,
  ...(tls === undefined ? [] : tlsLines(tls)),
  ...requests.flatMap((request) => section('url', requestLines(request, tls !== undefined))),
];

const tlsLines = ({ sni, name, verify }: TlsSettings): string[] => [
  `enable_sni ${onOff(sni)}`,
  ...optionalWord('sni_name', name),
  `tls_verify ${onOff(verify)}`,
];

const requestLines = (
  { path, host, statuses, digest, body, compliant }: HttpRequest,
  secure: boolean,
): string[] => [
  `path ${word(path)}`,
  ...optionalWord('virtualhost', host),
  `status_code ${statuses.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(' ')}`,
  ...setting('digest', digest),
  ...(body === undefined ? [] : patternLines(body)),
  ...when(secure, `tls_compliant ${onOff(compliant)}`),
];

const patternLines = ({ pattern, options, inverse, from, before }: BodyPattern): string[] => [
  `regex ${escapedWord(pattern)}`,
  ...when(inverse, 'regex_no_match'),
  ...when(options.length > 0, `regex_options ${options.join(' ')}`),
  ...when(from > 0, `regex_min_offset ${from}`),
  ...setting('regex_max_offset', before),
];

const udpLines = ({ payload, reply }: UdpCheck): string[] => [
  ...setting('payload', payload),
  ...(reply === undefined ? [] : [`require_reply ${reply.pattern ?? ''}`.trim()]),
  ...(reply?.pattern === undefined
    ? []
    : [`min_reply_length ${reply.least}`, `max_reply_length ${reply.most}`]),
];

/** The `SSL` block, which all TLS checks have in common. */
export function tlsBlock(checks: readonly CheckSettings[]): string[] {
  const tls = checks.map((check) => (check.kind === 'http' ? check.tls : undefined)).find((found) => found);
  if (tls === undefined) return [];
  const lines = (['password', 'ca', 'certificate', 'key'] as const).flatMap((name) =>
    optionalWord(name, tls[name]),
  );
  return lines.length === 0 ? [] : section('SSL', lines);
}
