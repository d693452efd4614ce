import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../../..');
const folder = 'etc/samples';
const names = [
  'etc/vipkeeper.conf.sample',
  ...readdirSync(join(ROOT, folder)).map((name) => join(folder, name)),
];

/** Every sample that we ship. */
export const samples = names.sort().map((name) => ({ name, text: readFileSync(join(ROOT, name), 'utf8') }));
