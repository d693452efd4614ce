import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where Debian's package keepalived, which the interop tests need too, has its sample configurations. */
const FOLDER = '/usr/share/doc/keepalived/samples';
if (!existsSync(FOLDER))
  throw new Error(`no ${FOLDER}: install Debian's package keepalived, with its documents`);

/** keepalived's own samples, as its authors wrote them. */
export const keepalivedSamples = readdirSync(FOLDER)
  .filter((name) => name.startsWith('keepalived.conf'))
  .sort()
  .map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }));
