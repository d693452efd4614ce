import type { Family } from '../../ip.ts';
import { type Duration, seconds, toSeconds } from '../../time.ts';
import type { HmacKey, HmacSettings, VrrpSettings } from '../../vrrp/settings.ts';
import type { KeySource } from '../grammar/authentication.ts';
import type { vrrpInstance } from '../grammar/vrrp.ts';
import type { Token } from '../lex.ts';
import type { Section } from '../tree.ts';
import type { Context } from './context.ts';

type InstanceSection = Section<typeof vrrpInstance>;

/** `auth_pass`: the length of the field (RFC 2338, 5.3.10). */
const PASSWORD_BYTES = 8;
const KEY_BYTES = { least: 32, most: 64 } as const;
/** The shortest `time_window` that is assumed. */
const WINDOW_SECONDS = 5;

/** How adverts are signed: by a trailer, a header, a password, or not. */
export function authenticationOf(
  section: InstanceSection,
  version: 2 | 3,
  family: Family,
  interval: Duration,
  context: Context,
): Pick<VrrpSettings, 'password' | 'ah' | 'hmac'> {
  const hmac = hmacOf(section, interval, context);
  const legacy = legacyOf(section, version, family, context);
  if (hmac === undefined) return legacy;
  const needless = section.token('authentication');
  if (needless !== undefined) context.findings.warning(needless, 'auth_hmac counts, authentication does not');
  return { hmac };
}

/** The `authentication` block: its password, cut to its field; version 2 only. */
function legacyOf(
  section: InstanceSection,
  version: 2 | 3,
  family: Family,
  { findings }: Context,
): Pick<VrrpSettings, 'password' | 'ah'> {
  const block = section.last('authentication');
  if (block === undefined) return {};
  if (version === 3) {
    findings.warning(block.keyword, 'version 3 has no authentication: this block has no effect', {
      hint: 'auth_hmac signs version 3 too',
    });
    return {};
  }
  const type = block.section.value('auth_type');
  const pass = block.section.last('auth_pass');
  if (pass === undefined || type === undefined) {
    const missing = type === undefined ? 'auth_type' : 'auth_pass';
    if (!block.section.has(missing) && !block.section.damaged)
      findings.warning(block.keyword, `authentication has no ${missing}: adverts are not authenticated`);
    return {};
  }
  const [password] = pass.values;
  const kept = firstBytes(password, PASSWORD_BYTES);
  if (kept !== password) {
    const at = pass.words[0] ?? pass.keyword;
    findings.warning(at, `auth_pass: only the first ${PASSWORD_BYTES} bytes are used, as in keepalived`);
  }
  if (type === 'PASS') return { password: kept };
  if (family === 6) findings.error(block.section.token('auth_type') ?? block.keyword, 'AH is for IPv4 only');
  return { ah: kept };
}

/** As many whole characters as fit. */
function firstBytes(text: string, limit: number): string {
  const encoder = new TextEncoder();
  let length = 0;
  let kept = '';
  for (const c of text) {
    length += encoder.encode(c).length;
    if (length > limit) break;
    kept += c;
  }
  return kept;
}

function hmacOf(section: InstanceSection, interval: Duration, context: Context): HmacSettings | undefined {
  const block = section.last('auth_hmac');
  if (block === undefined) return undefined;
  const { findings } = context;
  const keys: HmacKey[] = [];
  for (const entry of block.section.all('key')) {
    const [id, source] = entry.values;
    if (keys.some((key) => key.id === id))
      findings.error(entry.keyword, `auth_hmac: key ${id} is given twice`);
    const secret = secretOf(source, entry.words[1] ?? entry.keyword, context);
    if (secret !== undefined) keys.push({ id, secret });
  }
  const active = block.section.value('active_key');
  const at = block.section.token('active_key') ?? block.keyword;
  if (block.section.damaged) return undefined;
  if (active === undefined) {
    findings.error(block.keyword, 'auth_hmac has no active_key', {
      hint: 'write active_key and the id of a key',
    });
    return undefined;
  }
  if (!keys.some(({ id }) => id === active)) {
    findings.error(at, `auth_hmac: there is no key ${active}`, {
      hint: 'keepalived would go on without authentication',
    });
  }
  const window = Math.max(WINDOW_SECONDS, Math.ceil(3 * toSeconds(interval)));
  return {
    keys,
    activeKey: active,
    mode: block.section.value('mode') ?? 'enforce',
    antiReplay: block.section.value('anti_replay') ?? 'time',
    window: block.section.value('time_window') ?? seconds(Math.min(300, window)),
  };
}

/** A key in hexadecimal. A file's last newline is not part of it. */
function secretOf(source: KeySource, at: Token, { findings, facts, reader }: Context): string | undefined {
  if (source.kind === 'hex') return source.hex;
  if (source.kind === 'text') return hexOf(source.text);
  const file = reader.read(source.path);
  if (file.kind !== 'text') {
    findings.error(at, `the key cannot be read: ${source.path} ${file.problem}`);
    return undefined;
  }
  if (facts.isExposed(source.path)) {
    findings.warning(at, `others than its owner can read the key in ${source.path}`, {
      hint: `chmod 600 ${source.path}`,
    });
  }
  const text = file.text.replace(/\r?\n$/, '');
  const secret = /^hex:(?:[0-9a-f]{2})+$/i.test(text) ? text.slice(4).toLowerCase() : hexOf(text);
  const { least, most } = KEY_BYTES;
  if (secret.length >= 2 * least && secret.length <= 2 * most) return secret;
  findings.error(
    at,
    `the key in ${source.path} has ${secret.length / 2} bytes: ${least} to ${most} are needed`,
  );
  return undefined;
}

const hexOf = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, '0')).join('');
