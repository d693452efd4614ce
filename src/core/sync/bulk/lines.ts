import { type Duration, toSeconds } from '../../time.ts';
import type { Given, Got } from './events.ts';
import type { Lacks } from './message.ts';

/** Copies of connection tables in words, for the log and `vipkeeper sync status`. */

export interface BulkLine {
  readonly level: 'notice' | 'warning';
  readonly message: string;
}

export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const secondsOf = (took: Duration): string => `${toSeconds(took).toFixed(1)} s`;

interface Result {
  readonly outcome: Got['outcome'];
  readonly missing: number;
  readonly why: string | undefined;
}

function resultText({ outcome, missing, why }: Result): string {
  const texts: Readonly<Record<Result['outcome'], string>> = {
    complete: 'complete',
    missing: `${missing} missing`,
    silent: 'the other director fell silent',
    stopped: 'given up, as the role has changed',
    unreadable: `the connection table can't be read: ${why}`,
  };
  return texts[outcome];
}

/** `complete: 500 connections, 13 datagrams, 0.9 s`. */
export function gotText({
  outcome,
  why,
  connections,
  records,
  datagrams,
  missing,
  lacks,
  took,
}: Got): string {
  const sent = `${counted(records, 'record')} in ${counted(datagrams, 'datagram')}`;
  const what = [
    ...(connections > 0 || outcome === 'complete' ? [counted(connections, 'connection')] : []),
    ...(records > 0 ? [sent] : []),
    secondsOf(took),
  ].join(', ');
  const broken = outcome === 'silent' || outcome === 'stopped';
  const rest = broken ? ' (what had come until then is here, the rest is not)' : '';
  return [`${resultText({ outcome, missing, why })}${rest}: ${what}`, ...lacksTexts(lacks)].join('; ');
}

function lacksTexts({ marks, sequences, left }: Lacks): string[] {
  return [
    ...(left > 0 ? [`${counted(left, 'connection')} of no service or of two address families not sent`] : []),
    ...(marks > 0 ? [`${marks} with a firewall mark that is not certain`] : []),
    ...(sequences > 0 ? [`${sequences} of FTP, whose shifts of sequence numbers no listing tells`] : []),
  ];
}

export const gotLine = (got: Got): BulkLine => ({
  level: got.outcome === 'complete' ? 'notice' : 'warning',
  message: `bulk copy of the connection table from ${got.from}: ${gotText(got)}`,
});

/** `complete: 500 connections, 13 datagrams, 0.9 s`. */
export function givenText({ outcome, why, connections, records, datagrams, missing, took }: Given): string {
  const sent = `${counted(records, 'record')} in ${counted(datagrams, 'datagram')}`;
  return `${resultText({ outcome, missing, why })}: ${counted(connections, 'connection')}, ${sent}, ${secondsOf(took)}`;
}

export const givenLine = (given: Given): BulkLine => ({
  level: given.outcome === 'complete' || given.outcome === 'stopped' ? 'notice' : 'warning',
  message: `bulk copy of the connection table to ${given.to}: ${givenText(given)}`,
});
