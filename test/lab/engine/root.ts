import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The project's folder: the nearest one above this file with a package.json. */
export const ROOT: string = (() => {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

/** The compiled form of a source file, as Node runs it: `test/lab/x.ts` -> `ROOT/dist/test/lab/x.js`. */
export const compiled = (source: string): string => join(ROOT, 'dist', source.replace(/\.ts$/, '.js'));
