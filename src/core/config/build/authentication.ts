import type { Findings } from '../findings.ts';
import type { vrrpInstance } from '../grammar/vrrp.ts';
import type { Section } from '../tree.ts';

/** `auth_pass`: the length of the field (RFC 2338, 5.3.10). */
const PASSWORD_BYTES = 8;

/** The password of an `authentication` block, cut to its field; version 2 only. */
export function passwordOf(
  section: Section<typeof vrrpInstance>,
  version: 2 | 3,
  findings: Findings,
): string | undefined {
  const block = section.last('authentication');
  if (block === undefined) return undefined;
  const type = block.section.value('auth_type');
  if (type === 'AH') {
    const at = block.section.token('auth_type') ?? block.keyword;
    findings.error(at, 'auth_type AH: this version does not have it yet', {
      hint: 'use PASS, or none at all',
    });
    return undefined;
  }
  if (version === 3) {
    findings.warning(block.keyword, 'version 3 has no authentication: this block has no effect');
    return undefined;
  }
  const pass = block.section.last('auth_pass');
  if (pass === undefined || type === undefined) {
    const missing = type === undefined ? 'auth_type' : 'auth_pass';
    if (!block.section.has(missing) && !block.section.damaged)
      findings.error(block.keyword, `authentication has no ${missing}`);
    return undefined;
  }
  const [password] = pass.values;
  if (utf8Length(password) <= PASSWORD_BYTES) return password;
  const at = pass.words[0] ?? pass.keyword;
  findings.warning(at, `auth_pass: only the first ${PASSWORD_BYTES} bytes are used, as in keepalived`);
  return firstBytes(password, PASSWORD_BYTES);
}

const utf8Length = (text: string): number => Array.from(text).reduce((n, c) => n + charBytes(c), 0);
const charBytes = (c: string): number => {
  const code = c.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
};

/** As many whole characters as fit. */
function firstBytes(text: string, limit: number): string {
  let length = 0;
  let kept = '';
  for (const c of text) {
    length += charBytes(c);
    if (length > limit) break;
    kept += c;
  }
  return kept;
}
