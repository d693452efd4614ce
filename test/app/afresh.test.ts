import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { ROUTER, Stage, until } from './stage.ts';

await enclose();

/**
 * Scripts begin as from a shell, whatever the daemon was started with: they see no descriptor of who started it, no OOM
 * score, nice value or signals of its own.
 */
const test = suite('how scripts begin');
const stage = new Stage();
test.after(() => stage.close());

const script = (name: string): string => {
  const path = join(stage.folder, name);
  writeFileSync(
    path,
    `#!/bin/sh
exec >${path}.new 2>&1
ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> \\(.*\\)/fd \\1 \\2/p'
echo "score $(cat /proc/self/oom_score_adj)"
echo "nice $(nice)"
grep -E '^Sig(Blk|Ign)' /proc/self/status
env | grep NODE_
mv ${path}.new ${path}.saw
`,
    { mode: 0o755 },
  );
  return path;
};

test('notify, track and startup scripts', async () => {
  const [notify, track, startup] = [script('notify'), script('track'), script('startup')];
  stage.configure(`global_defs {
  script_user root
  startup_script ${startup}
}
vrrp_script look {
  script ${track}
  interval 1
  timeout 60
}
${ROUTER.replace('advert_int 1', `advert_int 1\n  notify ${notify}\n  track_script {\n    look\n  }`)}`);
  const held = openSync(stage.file, 'r');
  // A starter with descriptors, another score and nice value, and signals that it ignores.
  const daemon = spawn(
    'sh',
    [
      '-c',
      'echo 300 >/proc/self/oom_score_adj; trap "" HUP USR2 PIPE 40; exec nice -n 5 "$@"',
      'sh',
      ...stage.command('-P', '-n'),
    ],
    // Node itself sees to the first ones.
    {
      stdio: ['ignore', 'ignore', 'inherit', ...Array.from({ length: 40 }, () => 'ignore' as const), held],
      env: { ...process.env, NODE_PATH: '/tmp' },
    },
  );
  closeSync(held);
  try {
    const saws = [notify, track, startup].map((path) => `${path}.saw`);
    until(() => saws.every(existsSync), 'the scripts run');
    for (const saw of saws) {
      const text = readFileSync(saw, 'utf8');
      // `ls` itself reads a folder.
      const descriptors = [...text.matchAll(/^fd (\d+) (.*)$/gm)].map(([, fd = '', to = '']) => [
        Number(fd),
        to,
      ]);
      assert.equal(
        descriptors.filter(
          ([fd, to]) => Number(fd) > 2 && !/^\/proc\/\d+\/fd$|\.sh$|(notify|track|startup)$/.test(String(to)),
        ),
        [],
        text,
      );
      assert.match(text, /^score 0$/m, saw);
      assert.match(text, /^nice 0$/m, saw);
      assert.match(text, /^SigBlk:\s*0+$/m, saw);
      assert.match(text, /^SigIgn:\s*0+$/m, saw);
      assert.not.match(text, /NODE_/);
    }
  } finally {
    daemon.kill('SIGTERM');
    await once(daemon, 'close');
  }
});

test.run();
