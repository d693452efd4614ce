import type { Configuration } from '../config/model.ts';
import type { DoctorFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import {
  clockFindings,
  conntrackFindings,
  moduleFindings,
  programFindings,
  reversePathFindings,
  sysctlFindings,
} from './kernel.ts';
import { markFindings } from './marks.ts';
import { arpFindings, gatewayFindings, interfaceFindings, managerFindings, peerFindings } from './network.ts';

/** All that keeps this configuration from working on this host, or may: the gravest first. */
export function examine(configuration: Configuration, facts: DoctorFacts): Finding[] {
  const found = [
    ...moduleFindings(configuration, facts),
    ...programFindings(configuration, facts),
    ...interfaceFindings(configuration, facts),
    ...sysctlFindings(configuration, facts),
    ...reversePathFindings(configuration, facts),
    ...markFindings(configuration, facts),
    ...gatewayFindings(configuration, facts),
    ...arpFindings(configuration, facts),
    ...peerFindings(configuration, facts),
    ...managerFindings(configuration, facts),
    ...conntrackFindings(facts),
    ...clockFindings(configuration, facts),
  ];
  const rank = ({ severity }: Finding): number => (severity === 'error' ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}
