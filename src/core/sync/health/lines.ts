import { toSeconds } from '../../time.ts';
import { counted } from '../bulk/lines.ts';
import { coverageOf, type Survey } from './events.ts';
import type { HealthFacts } from './facts.ts';

/** How connection tables compare, in words, for the log, mails and `vipkeeper sync status`. */

/** Rounded down: 99.96 is not all. */
export const percentText = (percent: number): string => `${Math.floor(percent * 10) / 10} %`;

/** `98.5 % of 1200 connections are here, 9 of 600 compared are missing, 3 came late`. */
export function surveyText(survey: Survey): string {
  const { connections, sampled, missing, late } = survey;
  return [
    `${percentText(coverageOf(survey))} of ${counted(connections, 'connection')} of ${survey.from} are here`,
    ...(missing > 0 ? [`${missing} of ${sampled} compared are missing`] : []),
    ...(late > 0 ? [`${late} came within seconds`] : []),
  ].join(', ');
}

export const alarmText = (survey: Survey, limit: number, cause: HealthFacts['cause']): string =>
  `a failover now would lose more than ${limit} % of connections: ${surveyText(survey)}${
    cause === undefined ? '' : `; ${cause.text}`
  }`;

interface HealthText {
  readonly text: string;
  /** Somebody should look at it. */
  readonly isBad: boolean;
}

/** Lines for `sync status`. `ago` says how long ago a time of the wall clock is. */
export function healthTexts(health: HealthFacts, ago: (at: number) => string): HealthText[] {
  const { survey, unanswered, cause, datagrams, told, alarm, limit } = health;
  const good = (text: string): HealthText => ({ text, isBad: false });
  const bad = (text: string): HealthText => ({ text, isBad: true });
  const silence = 'no master answers what it has: how much of it is here is not known';
  return [
    ...(survey === undefined ? [] : [good(`${surveyText(survey)} (${ago(survey.at)}, ${tookText(survey)})`)]),
    ...(alarm ? [bad(`alarm: a failover now would lose more than ${limit} %`)] : []),
    ...(unanswered ? [bad(silence)] : []),
    ...(datagrams === undefined ? [] : [good(datagramsText(datagrams))]),
    ...(cause === undefined ? [] : [bad(cause.text)]),
    ...told.map(({ director, coverage, at }) => {
      const has = coverage === null ? 'has not compared yet' : `has ${percentText(coverage)} of connections`;
      const tooFew = coverage !== null && limit > 0 && 100 - coverage > limit;
      return (tooFew ? bad : good)(`${director} ${has} (${ago(at)})`);
    }),
  ];
}

const datagramsText = ({ sent, heard, lost }: NonNullable<HealthFacts['datagrams']>): string =>
  `datagrams of the master's kernel: ${sent} sent, ${heard} came, ${lost} lost`;

const tookText = ({ took }: Survey): string => `in ${toSeconds(took).toFixed(1)} s`;
