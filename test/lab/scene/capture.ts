import { join } from 'node:path';
import { fromHex } from '../../../src/core/bytes.ts';
import { Patience } from '../../patience.ts';
import type { Program } from './program.ts';
import { run } from './run.ts';
import { pause, type Scene } from './scene.ts';

/** The kernel hands packets over in blocks; those of a block that is still being filled are lost at the end. */
const BLOCK_SECONDS = 1.5;

/** A recording of a link, read with tshark's dissectors. */
export class Capture {
  readonly file: string;
  readonly #program: Program;

  private constructor(program: Program, file: string) {
    this.#program = program;
    this.file = file;
  }

  /** Starts dumpcap on an interface of the switch and waits until it records; Link.capture calls it. */
  static async start(scene: Scene, device: string): Promise<Capture> {
    const file = join(
      process.env.LAB_RESULTS ?? scene.folder,
      `${device}-${performance.now().toFixed(0)}.pcapng`,
    );
    const program = scene.start(`capture of ${device}`, ['dumpcap', '-q', '-i', device, '-w', file]);
    await scene.until(`dumpcap records ${device}`, () => program.log.includes('File:'));
    return new Capture(program, file);
  }

  /** Ends the recording; the packets can be read after it. */
  async stop(): Promise<void> {
    const patience = new Patience(BLOCK_SECONDS, 100);
    while (!patience.isOver) await pause(100);
    await this.#program.stop('SIGINT');
  }

  /** The fields (tshark's names) of each packet that the display filter takes: one row a packet. */
  fields(filter: string, ...names: readonly string[]): string[][] {
    const wanted = names.flatMap((name) => ['-e', name]);
    const checks = ['ip', 'tcp', 'udp'].flatMap((kind) => ['-o', `${kind}.check_checksum:TRUE`]);
    const text = run(['tshark', '-n', '-r', this.file, ...checks, '-Y', filter, '-T', 'fields', ...wanted]);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  }

  /** The packets that the display filter takes, whole. */
  frames(filter: string): Uint8Array[] {
    const text = run(['tshark', '-n', '-r', this.file, '-Y', filter, '-T', 'jsonraw', '-j', 'frame']);
    const packets = JSON.parse(text) as { _source: { layers: { frame_raw: [string] } } }[];
    return packets.map(({ _source }) => fromHex(_source.layers.frame_raw[0]));
  }

  /** How many packets the display filter takes. */
  count(filter: string): number {
    return this.fields(filter, 'frame.number').length;
  }
}
