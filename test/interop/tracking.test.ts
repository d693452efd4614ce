import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { VrrpStatus } from '../../src/core/vrrp/events.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { file, keepalived, operator, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * What a virtual router tracks, with keepalived as the other director: what breaks here takes the priority below
 * keepalived's or is a fault, keepalived takes over, and gives back when it is mended. With a sync group both routers
 * go; `preempt_delay` holds back who comes again.
 */
await enclose();

const [BETTER, LESSER, WEIGHT] = [150, 100, -60];
const LINKS = ['front', 'back'] as const;
type Name = (typeof LINKS)[number];
const vipOf = (name: Name): string => `10.0.${LINKS.indexOf(name)}.100`;

const instance = (
  name: Name,
  priority: number,
  ...lines: readonly string[]
): string => `vrrp_instance ${name} {
  state BACKUP
  interface ${name}
  virtual_router_id 7
  version 3
  priority ${priority}
  advert_int 0.2
  ${lines.join('\n  ')}
  virtual_ipaddress {
    ${vipOf(name)}/24
  }
}
`;
const group = (...lines: readonly string[]): string =>
  [
    'vrrp_sync_group both {',
    '  group {',
    ...LINKS.map((name) => `    ${name}`),
    '  }',
    ...lines,
    '}',
    '',
  ].join('\n');

/** Something that is tracked: how it is named in a configuration, and how it is broken and mended. */
interface Tracked {
  readonly kind: 'interface' | 'script' | 'file';
  readonly line: string;
  readonly fault: RegExp;
  break(): void;
  mend(): void;
}

/** Two hosts on two segments: a third link of ours is there to be tracked. */
class Pair {
  readonly scene = new Scene();
  readonly ours: Host;
  readonly theirs: Host;
  readonly tracked: readonly Tracked[];
  readonly #definitions: string;

  constructor() {
    const links = LINKS.map((name) => this.scene.link(name));
    const uplink = this.scene.link('uplink');
    const hostOf = (name: string, n: number): Host => {
      const host = this.scene.host(name);
      for (const [i, link] of links.entries()) host.on(link, `10.0.${i}.${n}/24`);
      return host;
    };
    this.ours = hostOf('ours', 1).on(uplink, '10.9.0.1/24');
    this.theirs = hostOf('theirs', 2);
    const [flag, script, load] = ['flag', 'check', 'load'].map((name) => join(this.scene.folder, name));
    if (flag === undefined || script === undefined || load === undefined) throw new Error('no files');
    writeFileSync(script, `#!/bin/sh\ntest -e ${flag}\n`);
    chmodSync(script, 0o755);
    this.#definitions = `vrrp_script healthy {
  script "${script}"
  interval 0.2
  timeout 60
  user root
}
track_file load {
  file ${load}
}
`;
    this.tracked = [
      {
        kind: 'interface',
        line: 'uplink',
        fault: /interface uplink: uplink is down/,
        break: () => ip('ours', 'link set uplink down'),
        mend: () => ip('ours', 'link set uplink up'),
      },
      {
        kind: 'script',
        line: 'healthy',
        fault: /script healthy: it exited with status 1/,
        break: () => rmSync(flag),
        mend: () => writeFileSync(flag, ''),
      },
      {
        kind: 'file',
        line: 'load',
        fault: /file load has 1/,
        break: () => writeFileSync(load, '1\n'),
        mend: () => writeFileSync(load, '0\n'),
      },
    ];
    for (const { mend } of this.tracked) mend();
  }

  startOurs(text: string): Program {
    return vipkeeper(this.ours, this.#definitions + text, '-P');
  }

  startTheirs(text: string): Program {
    return keepalived(this.theirs, text, '-P', '-G');
  }

  reload(text: string): void {
    file(this.ours, 'vipkeeper.conf', this.#definitions + text);
    operator(this.ours, 'reload');
  }

  /** Waits until this one has the addresses of all these routers, and only this one. */
  async heldBy(holder: Host, what: string, ...names: readonly Name[]): Promise<void> {
    const there = (host: Host): boolean => names.every((name) => host.has(vipOf(name)) === (host === holder));
    await this.scene.until(what, () => there(this.ours) && there(this.theirs));
  }

  async router(): Promise<VrrpStatus> {
    const [router] = (await statusOf(this.ours))?.vrrp?.instances ?? [];
    assert.ok(router !== undefined);
    return router;
  }

  async says(what: string, condition: (router: VrrpStatus) => boolean): Promise<void> {
    await this.scene.until(what, async () => condition(await this.router()));
  }
}

/** A suite whose tests build on each other. */
function story(name: string, tell: (test: ReturnType<typeof suite>, pair: () => Pair) => void): void {
  const test = suite(name);
  let pair: Pair | undefined;
  test.before(() => {
    pair = new Pair();
  });
  test.after(() => pair?.scene.close());
  tell(test, () => {
    assert.ok(pair !== undefined);
    return pair;
  });
  test.run();
}

/** A weight of 0 is none: what is broken is a fault. */
const lineOf = ({ kind, line }: Tracked, weight: number): string =>
  `track_${kind} {\n    ${line} weight ${weight}\n  }`;

story('tracking', (test, opened) => {
  test('the better one has the address', async () => {
    const pair = opened();
    pair.startTheirs(instance('front', LESSER));
    pair.startOurs(instance('front', BETTER, ...pair.tracked.map((it) => lineOf(it, WEIGHT))));
    await pair.heldBy(pair.ours, 'we are better', 'front');
  });

  test('with weights: the priority falls, keepalived takes over, and gives back', async () => {
    const pair = opened();
    for (const it of pair.tracked) {
      it.break();
      await pair.heldBy(pair.theirs, `${it.kind} is broken`, 'front');
      await pair.says(
        'it is a lesser one',
        ({ state, priority }) => state === 'BACKUP' && priority === BETTER + WEIGHT,
      );
      it.mend();
      await pair.heldBy(pair.ours, `${it.kind} is mended`, 'front');
      await pair.says('it is itself again', ({ priority }) => priority === BETTER);
    }
  });

  test('without: a fault that says why, keepalived takes over, and gives back', async () => {
    const pair = opened();
    pair.reload(instance('front', BETTER, ...pair.tracked.map((it) => lineOf(it, 0))));
    for (const it of pair.tracked) {
      it.break();
      await pair.heldBy(pair.theirs, `${it.kind} is broken`, 'front');
      await pair.says(
        'it is a fault',
        ({ state, faults }) => state === 'FAULT' && it.fault.test(faults.join()),
      );
      it.mend();
      await pair.heldBy(pair.ours, `${it.kind} is mended`, 'front');
    }
  });
});

story('a sync group that tracks', (test, opened) => {
  const both = (priority: number): string => LINKS.map((name) => instance(name, priority)).join('');
  test('both go with what the group tracks, and both come back', async () => {
    const pair = opened();
    pair.startTheirs(group() + both(LESSER));
    pair.startOurs(group('  track_script {', '    healthy', '  }') + both(BETTER));
    await pair.heldBy(pair.ours, 'we are better', ...LINKS);
    const script = pair.tracked.find(({ kind }) => kind === 'script');
    script?.break();
    await pair.heldBy(pair.theirs, 'the script fails', ...LINKS);
    script?.mend();
    await pair.heldBy(pair.ours, 'the script succeeds', ...LINKS);
  });
});

const DELAY_SECONDS = 3;

for (const better of ['ours', 'theirs'] as const) {
  story(`preempt_delay: ${better} waits`, (test, opened) => {
    test('until the delay is over, and then takes over', async () => {
      const pair = opened();
      const lesser = instance('front', LESSER);
      const delayed = instance('front', BETTER, `preempt_delay ${DELAY_SECONDS}`);
      if (better === 'ours') pair.startTheirs(lesser);
      else pair.startOurs(lesser);
      await pair.heldBy(better === 'ours' ? pair.theirs : pair.ours, 'the lesser one is alone', 'front');
      const begun = performance.now();
      if (better === 'ours') pair.startOurs(delayed);
      else pair.startTheirs(delayed);
      await pair.heldBy(pair[better], 'the better one takes over', 'front');
      const waited = (performance.now() - begun) / 1000;
      assert.ok(waited >= DELAY_SECONDS, `after ${waited.toFixed(1)} s`);
    });
  });
}
