import { join } from 'node:path';

/**
 * The folder with what is installed: programs and parts of the daemon, a file each, and the addon. A bundle
 * (packaging/bundle.ts) lies in it and is no module, so Node tells it where it is; a module of `dist` has the build's.
 */
const FOLDER = typeof __dirname === 'string' ? __dirname : join(import.meta.dirname, '../../../build');

/** The path of a file that is installed. */
export const installed = (name: string): string => join(FOLDER, name);
