import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { saveConfiguration } from '../../src/app/savedconfig.ts';
import { configured } from '../core/config/memory.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { ROUTER, Stage } from './stage.ts';

/** `config_save_dir`: what ran when can be looked up, and loaded again. */
await enclose();
const test = suite('copies of the configuration');
const stage = new Stage();
const folder = join(stage.folder, 'copies');
test.after(() => {
  stage.stop();
  stage.close();
});

const copies = (): string[] => readdirSync(folder).sort();
const text = (priority: number): string =>
  `global_defs {\nconfig_save_dir ${folder}\n}\ninclude router.conf\n$P=${priority}\n`;
const router = (priority: number): void =>
  writeFileSync(join(stage.folder, 'router.conf'), ROUTER.replace('255', String(priority)));
function reload(): void {
  assert.match(stage.operator('reload').stdout, /^reloaded: /);
}

test('one at the start and one for each reload that changes something, with all that is included', () => {
  router(255);
  stage.configure(text(1));
  assert.equal(stage.daemon('-P').status, 0);
  assert.is(copies().length, 1);
  reload();
  assert.is(copies().length, 1);
  router(200);
  reload();
  const [first, second] = copies().map((name) => readFileSync(join(folder, name), 'utf8'));
  assert.match(first ?? '', /priority 255/);
  assert.match(second ?? '', /priority 200/);
  assert.is(statSync(join(folder, copies()[0] ?? '')).mode & 0o777, 0o600);
  writeFileSync(join(stage.folder, 'again.conf'), second ?? '');
  assert.is(stage.operator('check', join(stage.folder, 'again.conf')).status, 0);
});

test('a file with errors leaves none', () => {
  const before = copies();
  stage.configure(text(1).replace('include', 'incluude'));
  assert.is.not(stage.operator('reload').status, 0);
  assert.equal(copies(), before);
});

test('only the last hundred stay, and a folder that cannot be is a warning', () => {
  const said: string[] = [];
  for (let i = 0; i < 103; i++) {
    const configuration = configured(`global_defs {\nconfig_save_dir ${folder}\nrouter_id r${i}\n}\n`);
    saveConfiguration(configuration, new Date(4e12 + i * 1000), (_, message) => said.push(message));
  }
  assert.is(copies().length, 100);
  assert.match(readFileSync(join(folder, copies().at(-1) ?? ''), 'utf8'), /router_id r102/);
  assert.equal(said, []);
  const bad = configured(`global_defs {\nconfig_save_dir ${stage.file}\n}\n`);
  saveConfiguration(bad, new Date(), (_, message) => said.push(message));
  assert.match(said.join(), /config_save_dir: no copy of the configuration: EEXIST/);
});

test.run();
