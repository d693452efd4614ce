import { type KeptSysctl, type LvsSysctl, parseKeptSysctl, planSysctls } from '../../core/sync/sysctls.ts';
import { IpvsClient } from '../../io/ipvs.ts';
import type { KeptFiles } from '../../io/kept.ts';
import { ledgerText, readLedger } from '../../io/ledger.ts';
import { inNamespace } from '../../io/namespace.ts';
import { readSysctl, writeSysctl } from '../../io/sysctl.ts';
import type { Level } from '../messages.ts';

const FOLDER = 'ipv4/vs';

/**
 * The settings of IPVS (`lvs_sysctl`): set before the processes start that use them, and put back at the stop. What
 * they were is in a file too: the next supervisor of this boot may be the one that puts them back.
 */
export class LvsSysctls {
  readonly #file: string;
  readonly #files: KeptFiles;
  readonly #namespace: string | undefined;
  readonly #log: (level: Level, message: string) => void;
  #kept: readonly KeptSysctl[];

  /** `namespace`: where the IPVS table is, if not here. */
  constructor(
    runDir: string,
    namespace: string | undefined,
    files: KeptFiles,
    log: (level: Level, message: string) => void,
  ) {
    this.#file = `${runDir}/lvs-sysctls`;
    this.#files = files;
    this.#namespace = namespace;
    this.#log = log;
    this.#kept = this.#read();
  }

  /** Exactly these from now on; with none, all is as it was before. */
  configure(wanted: readonly LvsSysctl[]): void {
    if (wanted.length === 0 && this.#kept.length === 0) return;
    try {
      // The settings are there once the kernel has IPVS.
      new IpvsClient(this.#namespace).close();
      inNamespace(this.#namespace, () => this.#apply(wanted));
    } catch (error) {
      this.#log('error', `lvs_sysctl: ${(error as Error).message}`);
    }
  }

  #apply(wanted: readonly LvsSysctl[]): void {
    const now = (name: string): string | undefined => readSysctl(`${FOLDER}/${name}`)?.replace(/\s+/g, ' ');
    const { writes, kept, missing } = planSysctls(wanted, this.#kept, now);
    for (const name of missing) this.#log('error', `lvs_sysctl: this kernel has no net.ipv4.vs.${name}`);
    const failed = new Set<string>();
    for (const { name, value } of writes) {
      const why = writeSysctl(`${FOLDER}/${name}`, value);
      if (why !== undefined) failed.add(name);
      if (why === undefined) this.#log('notice', `net.ipv4.vs.${name} is ${value}`);
      else this.#log('error', `lvs_sysctl: net.ipv4.vs.${name} can't be set to ${value}: ${why}`);
    }
    this.#kept = kept.filter(({ name }) => !failed.has(name));
    const lines = this.#kept.map((each) => JSON.stringify(each));
    this.#files.keep(this.#file, lines.length === 0 ? undefined : ledgerText(lines), { mode: 0o600 });
  }

  #read(): KeptSysctl[] {
    try {
      return readLedger(this.#file).flatMap((line) => parseKeptSysctl(line) ?? []);
    } catch (error) {
      this.#log('warning', `what net.ipv4.vs was set to before is not known: ${(error as Error).message}`);
      return [];
    }
  }
}
