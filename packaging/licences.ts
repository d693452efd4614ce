import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

const RULE = '-'.repeat(72);

/**
 * The text of our licence and of those of all packages of npm that are in the bundles. Throws when a package has none:
 * what may not be given away is not to be shipped.
 */
export function licences(root: string, metafiles: readonly Metafile[]): string {
  const files = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((one) => Object.keys(one.inputs)),
  );
  const folders = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []));
  const texts = [...folders].map((folder) => ofPackage(join(root, folder))).sort();
  const ours = `vipkeeper\n\n${readFileSync(join(root, 'LICENSE'), 'utf8')}`;
  return [ours, ...texts].join(`\n${RULE}\n`);
}

function ofPackage(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (typeof license !== 'string' || file === undefined)
    throw new Error(`${name} ${version} in ${folder} has no licence that could be shipped with it`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}
