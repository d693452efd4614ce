/** Somebody answered for the address, at this time in milliseconds. */
export interface Answered {
  readonly at: number;
  readonly mac: string;
}

/** Milliseconds in which two answered for the address, and in which nobody did. */
export interface Holders {
  readonly two: number;
  readonly nobody: number;
}

/** Who is asked every few milliseconds and says nothing for so long does not answer any more. */
const SILENT_MILLISECONDS = 100;

type Span = readonly [from: number, to: number];

/** What was answered from `from` to the last answer, in the order of time, by who answered. */
export function holders(answers: readonly Answered[], from: number): Holders {
  const macs = [...new Set(answers.map(({ mac }) => mac))];
  const spans = macs.map((mac) => spansOf(answers.filter((answer) => answer.mac === mac)));
  const all = spansOf(answers);
  const covered = sum(all);
  // Whole spans of two answer at once where their sum is more than what they cover together.
  const two = sum(spans.flat()) - sum(union(spans.flat()));
  const end = answers.at(-1)?.at ?? from;
  return { two: Math.max(0, two), nobody: Math.max(0, end - from - covered) };
}

/** From the first to the last answer of each stretch without a silence. */
function spansOf(answers: readonly Answered[]): Span[] {
  const spans: [number, number][] = [];
  for (const { at } of answers) {
    const last = spans.at(-1);
    if (last !== undefined && at - last[1] <= SILENT_MILLISECONDS) last[1] = at;
    else spans.push([at, at]);
  }
  return spans;
}

function union(spans: readonly Span[]): Span[] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...spans].sort(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

const sum = (spans: readonly Span[]): number => spans.reduce((total, [from, to]) => total + to - from, 0);
