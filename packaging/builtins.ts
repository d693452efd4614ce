import type { Plugin } from 'esbuild';

/** Modules of Node that are not there at its start: to load one takes up to 5 ms, and memory. */
const LATE = [
  'child_process',
  'crypto',
  'dgram',
  'inspector',
  'net',
  'readline/promises',
  'stream/promises',
  'timers/promises',
  'tls',
  'v8',
  'worker_threads',
  'zlib',
];
const FILTER = new RegExp(`^(?:node:)?(?:${LATE.join('|')})$`);
const NAMESPACE = 'late';

/**
 * Of a bundle: a module of Node is loaded when something of it is first used, not where it is imported. The importer
 * gets an object that has a getter for each name that the module has.
 */
export const lateBuiltins: Plugin = {
  name: NAMESPACE,
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: FILTER }, ({ path, namespace, kind }) =>
      namespace === NAMESPACE || kind === 'dynamic-import'
        ? { path, external: true }
        : { path: path.replace('node:', ''), namespace: NAMESPACE },
    );
    onLoad({ filter: /.*/, namespace: NAMESPACE }, async ({ path }) => {
      const names = Object.keys((await import(`node:${path}`)).default);
      const contents = `let loaded;
for (const name of ${JSON.stringify(names)})
  Object.defineProperty(exports, name, { enumerable: true, get: () => (loaded ??= require('node:${path}'))[name] });
`;
      return { contents, loader: 'js' };
    });
  },
};
