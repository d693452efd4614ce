import type { HttpCheck, HttpRequest } from '../../../src/core/check/settings.ts';
import { ip } from '../../../src/core/ip.ts';
import { micros, seconds } from '../../../src/core/time.ts';

/** An `HTTP_GET` of one request, with the defaults. */
export const httpCheck = (request: Partial<HttpRequest> = {}, more: Partial<HttpCheck> = {}): HttpCheck => ({
  kind: 'http',
  address: ip('10.0.0.1'),
  port: 80,
  timeout: seconds(5),
  period: seconds(6),
  warmup: micros(0),
  retries: 1,
  retryDelay: seconds(3),
  alpha: false,
  version: '1.0',
  requests: [{ path: '/', statuses: [{ first: 200, last: 299 }], compliant: false, ...request }],
  fastRecovery: false,
  ...more,
});
