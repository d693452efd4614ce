import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { describeExit, FrameReader, frameLine, type ToAgent } from './frames.ts';

const frames = suite('frames of the lab');

frames('come out as they went in, however the line cuts them', () => {
  const sent: ToAgent[] = [
    { kind: 'start', id: 1, argv: ['sh', '-c', 'echo "a\nb" ü'], env: { A: '1' } },
    { kind: 'signal', id: 1, signal: 'SIGTERM' },
  ];
  const text = sent.map(frameLine).join('');
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const places = [0, ...cuts.sort((x, y) => x - y), text.length];
      const reader = new FrameReader<ToAgent>();
      const got = places.flatMap((place, i) => reader.read(text.slice(places[i - 1] ?? 0, place)));
      assert.equal(got, sent);
    }),
  );
});

frames('what is no frame is dropped', () => {
  const reader = new FrameReader<ToAgent>();
  assert.equal(reader.read('random: crng init done\n17\nnull\n{"kind":"signal","id":2}\n').length, 1);
});

frames('an exit is told in words', () => {
  assert.is(describeExit({ code: 3 }), 'exit status 3');
  assert.is(describeExit({ signal: 'SIGKILL' }), 'ended by SIGKILL');
  assert.is(describeExit({ error: 'spawn x ENOENT' }), 'spawn x ENOENT');
});

frames.run();
