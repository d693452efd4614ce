import type { ClaimsEffect, ClaimsEvent } from '../fence/claims.ts';
import type { Word } from '../fence/heartbeat-codec.ts';
import { toSeconds } from '../time.ts';

/** What directors say to each other about votes, in words for a person. */

/** `undefined` where the event has no words of its own. */
export function votesEventWords(event: ClaimsEvent): string | undefined {
  if (event.type === 'heartbeat')
    return `heartbeat of ${event.heartbeat.from}: ${said(event.heartbeat.words)}`;
  if (event.type === 'unreadable') return `a datagram: ${event.why}`;
  return undefined;
}

export function votesEffectWords(effect: ClaimsEffect): string | undefined {
  switch (effect.type) {
    case 'send':
      return `heartbeat to ${effect.heartbeat.to}: ${said(effect.heartbeat.words)}`;
    case 'voted':
      return `tells the director: ${effect.claim} ${effect.event.type}`;
    case 'fence':
      return effect.why === undefined
        ? `${effect.director} is not to be switched off`
        : `${effect.director} is to be switched off: ${effect.why}`;
    case 'alarm':
      return `alarm: votes of ${effect.claim} ${effect.what}, ${effect.cause}`;
    case 'log':
      return effect.message;
    default:
      return undefined;
  }
}

const said = (words: readonly Word[]): string => words.map(wordText).join('; ') || 'it lives';

function wordText(word: Word): string {
  switch (word.type) {
    case 'ask': {
      const length = word.duration === undefined ? '' : ` for ${toSeconds(word.duration)} s`;
      return `asks for ${word.claim}${length} (${word.number})`;
    }
    case 'answer':
      return `${word.claim} (${word.number}): ${word.answer.type === 'granted' ? 'granted' : word.answer.why}`;
    case 'release':
      return `lets go of ${word.claim} (${word.number})`;
    case 'fenced':
      return `${word.director} was switched off`;
    case 'hand-over':
      return `hand-over of ${word.unit}: ${word.step}${word.why === undefined ? '' : `, ${word.why}`} (${word.number})`;
  }
}
