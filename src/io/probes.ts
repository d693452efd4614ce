import { unreachable } from '../core/assert.ts';
import { tcpDialogue } from '../core/check/dialogue.ts';
import { HttpDialogue } from '../core/check/http.ts';
import type { ProbedCheck } from '../core/check/settings.ts';
import { SmtpDialogue } from '../core/check/smtp.ts';
import { md5 } from './digest.ts';
import type { Done, Probe } from './probe.ts';
import { probeDns, probeUdp } from './probe-datagram.ts';
import { probePing } from './probe-ping.ts';
import { probeScript } from './probe-script.ts';
import { StreamProbe } from './probe-stream.ts';

/** Starts the probe of a check. `done` is called once, later, unless it is aborted. */
export function startProbe(check: ProbedCheck, part: number, done: Done): Probe {
  switch (check.kind) {
    case 'tcp':
      return new StreamProbe(check, tcpDialogue, done);
    case 'http': {
      const tls = check.tls === undefined ? undefined : { check, part };
      return new StreamProbe(check, new HttpDialogue(check, part, md5), done, tls);
    }
    case 'smtp':
      return new StreamProbe(check, new SmtpDialogue(check), done);
    case 'dns':
      return probeDns(check, done);
    case 'udp':
      return probeUdp(check, done);
    case 'ping':
      return probePing(check, done);
    case 'misc':
      return probeScript(check, done);
    default:
      return unreachable(check);
  }
}
