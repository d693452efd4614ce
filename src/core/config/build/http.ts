import { compilePattern, PatternError } from '../../check/pattern.ts';
import type { BodyPattern, HttpCheck, HttpRequest, TlsFiles } from '../../check/settings.ts';
import { seconds } from '../../time.ts';
import type { Findings } from '../findings.ts';
import type { url } from '../grammar/http.ts';
import type { root } from '../grammar/root.ts';
import type { realServer } from '../grammar/virtual.ts';
import type { Token } from '../lex.ts';
import type { Entry, Section } from '../tree.ts';
import { connecting, type Inherited, type KindDefaults } from './check.ts';

type Plain = Entry<(typeof realServer)['HTTP_GET']>;
type Secure = Entry<(typeof realServer)['SSL_GET']>;
type UrlSection = Section<typeof url>;

const DEFAULTS: KindDefaults = { retries: 1, retryDelay: () => seconds(3) };
const GOOD = [{ first: 200, last: 299 }] as const;

/** The `SSL` block: what all TLS checks show of themselves. */
export function tlsFiles(file: Section<typeof root>): TlsFiles {
  const section = file.last('SSL')?.section;
  if (section === undefined) return {};
  const names = ['password', 'ca', 'certificate', 'key'] as const;
  return Object.fromEntries(
    names.flatMap((name) => [[name, section.value(name)]].filter(([, v]) => v !== undefined)),
  );
}

/** An `HTTP_GET`. */
export function httpCheck(entry: Plain, from: Inherited, findings: Findings): HttpCheck | undefined {
  const { section, keyword } = entry;
  for (const needless of ['enable_sni', 'sni_name'] as const) {
    const at = section.token(needless);
    if (at !== undefined) findings.warning(at, `${needless} has no effect in ${keyword.text}`);
  }
  const requests = section
    .all('url')
    .flatMap((entry) => requestOf(entry, section.value('virtualhost') ?? from.host, findings) ?? []);
  return whole(entry, requests, from, findings);
}

/** An `SSL_GET`. */
export function httpsCheck(
  entry: Secure,
  from: Inherited,
  files: TlsFiles,
  findings: Findings,
): HttpCheck | undefined {
  const { section } = entry;
  const compliant = section.value('tls_compliant') ?? false;
  const requests = section.all('url').flatMap((url) => {
    const request = requestOf(url, section.value('virtualhost') ?? from.host, findings);
    return request === undefined
      ? []
      : [{ ...request, compliant: url.section.value('tls_compliant') ?? compliant }];
  });
  const check = whole(entry, requests, from, findings);
  if (check === undefined) return undefined;
  const name = section.value('sni_name');
  const sni = section.value('enable_sni') ?? section.has('sni_name');
  const verify = section.value('tls_verify') ?? false;
  return { ...check, tls: { ...files, sni, ...(name === undefined ? {} : { name }), verify } };
}

function whole(
  entry: Plain | Secure,
  requests: readonly HttpRequest[],
  from: Inherited,
  findings: Findings,
): HttpCheck | undefined {
  const section = entry.section as Plain['section'];
  const common = connecting({ section, keyword: entry.keyword }, from, findings, { defaults: DEFAULTS });
  if (common === undefined || requests.length === 0) return undefined;
  return {
    kind: 'http',
    ...common,
    version: section.value('http_protocol') ?? '1.0',
    requests,
    fastRecovery: section.value('fast_recovery') ?? false,
  };
}

function requestOf(
  { section, keyword }: { readonly section: UrlSection; readonly keyword: Token },
  inheritedHost: string | undefined,
  findings: Findings,
): HttpRequest | undefined {
  const path = section.value('path');
  if (path === undefined) {
    if (!section.damaged) findings.error(keyword, 'url has no path');
    return undefined;
  }
  const host = section.value('virtualhost') ?? inheritedHost;
  const digest = section.value('digest');
  const body = patternOf(section, findings);
  return {
    path,
    ...(host === undefined ? {} : { host }),
    statuses: section.value('status_code') ?? GOOD,
    ...(digest === undefined ? {} : { digest }),
    ...(body === undefined ? {} : { body }),
    compliant: false,
  };
}

function patternOf(section: UrlSection, findings: Findings): BodyPattern | undefined {
  const entry = section.last('regex');
  if (entry === undefined) {
    for (const name of ['regex_no_match', 'regex_options', 'regex_min_offset', 'regex_max_offset'] as const) {
      const alone = section.token(name);
      if (alone !== undefined && !section.has('regex'))
        findings.warning(alone, `${name} has no effect without regex`);
    }
    return undefined;
  }
  const [pattern] = entry.values;
  const before = section.value('regex_max_offset');
  const body: BodyPattern = {
    pattern,
    options: section.value('regex_options') ?? [],
    inverse: section.has('regex_no_match'),
    from: section.value('regex_min_offset') ?? 0,
    ...(before === undefined || before === 0 ? {} : { before }),
  };
  try {
    compilePattern(body);
    return body;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    findings.error(entry.words[0] ?? entry.keyword, `regex: ${error.message}`);
    return undefined;
  }
}
