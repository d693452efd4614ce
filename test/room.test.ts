import * as assert from 'uvu/assert';
import { type CpuTicks, Room } from './room.ts';
import { suite } from './suite.ts';

const room = suite('room for test files');

/** A machine of two CPUs, of which so many are idle from look to look. */
function machine() {
  let ticks: CpuTicks = { all: 0, idle: 0 };
  const of = new Room(2, () => ticks);
  const look = (idle: number): void => {
    ticks = { all: ticks.all + 200, idle: ticks.idle + idle * 100 };
    of.look();
  };
  return { of, look };
}

room('is for as many CPUs as there are', () => {
  const { of } = machine();
  of.take(1);
  assert.is(of.has(1), true);
  of.take(1);
  assert.is(of.has(0.5), false);
  of.give(1);
  assert.is(of.has(1), true);
});

room('is always for one file, however much it takes', () => {
  const { of } = machine();
  assert.is(of.has(8), true);
});

room('is for one more with each look, where CPUs were idle', () => {
  const { of, look } = machine();
  of.take(2);
  look(0.6);
  assert.is(of.has(1), false);
  assert.is(of.has(0.5), true);
  of.take(0.5);
  assert.is(of.has(0.5), false, 'before the next look');
  look(0.5);
  assert.is(of.has(0.5), true);
  look(0.1);
  assert.is(of.has(0.5), false, 'the machine is busy');
});

room('has an end also where all files wait', () => {
  const { of, look } = machine();
  for (let files = 0; files < 8; files++) {
    look(2);
    assert.is(of.has(0.5), true);
    of.take(0.5);
  }
  look(2);
  assert.is(of.has(0.5), false);
});

room('is measured from the kernel', () => {
  const of = new Room();
  of.take(1000);
  of.look();
  assert.is(of.has(1000), false);
});

room.run();
