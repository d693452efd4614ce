import { spawn } from 'node:child_process';

const LIMIT_MS = 10_000;
/** Its first words say what is wrong; it repeats the script line by line. */
const WORDS_LIMIT = 2000;

/** Has nft(8) do what the script says, all of it or nothing. Why not, if not; never rejects. */
export function runNft(script: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'], timeout: LIMIT_MS });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (words.length < WORDS_LIMIT) words += text;
    });
    child.on('error', (error) => {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      resolve(missing ? 'there is no program nft: install nftables' : error.message);
    });
    child.on('close', (status, signal) => {
      if (status === 0) resolve(undefined);
      else resolve(words.trim().slice(0, WORDS_LIMIT) || `nft ended with ${signal ?? status}`);
    });
    // One that ends early is judged by its status.
    child.stdin.on('error', () => undefined);
    child.stdin.end(script);
  });
}
