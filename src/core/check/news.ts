import { type BfdNews, judgeBfd } from './bfd.ts';
import { type FileNews, judgeFile } from './file.ts';
import type { CheckSettings } from './settings.ts';
import type { CheckResult } from './verdict.ts';

/** What checks without a probe are told of. */
export type News = BfdNews | FileNews;

/** What a check without a probe waits for news of. */
export function sourceOf(settings: CheckSettings): string | undefined {
  if (settings.kind === 'bfd') return `bfd ${settings.session}`;
  return settings.kind === 'file' ? `file ${settings.file}` : undefined;
}

/** What news mean to a check; `undefined`: they are none of its business. */
export function judgeNews(settings: CheckSettings, news: News): CheckResult | undefined {
  if (settings.kind === 'bfd' && 'up' in news) return judgeBfd(news);
  return settings.kind === 'file' && 'value' in news ? judgeFile(settings, news) : undefined;
}
