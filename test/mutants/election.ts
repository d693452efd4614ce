import type { Mutant } from './mutant.ts';

const instance = ['vrrp/instance', 'vrrp/stall', 'vrrp/unsent', 'vrrp/reload'];
const group = ['vrrp/group', 'vrrp/group-votes'];
const routers = { of: 'routers' } as const;

/** Breakages of core/vrrp: elections, silence, groups. */
export const ELECTION: readonly Mutant[] = [
  {
    name: 'a late timer is evidence',
    file: 'vrrp/silence.ts',
    before: 'if (late <= this.#interval / 2 || due >= until',
    after: 'if (late >= 0 || due >= until',
    unit: instance,
    simulator: { of: 'routers', must: true },
  },
  {
    name: 'a master that overslept goes on',
    file: 'vrrp/advertiser.ts',
    before: 'return this.mayBeReplaced(now) || (lease > 0 && this.silentFor(now) > lease);',
    after: 'return lease < 0;',
    unit: instance,
    simulator: routers,
  },
  {
    name: 'a master that nobody hears stays',
    file: 'vrrp/advertiser.ts',
    before: 'return since(now, this.#left) >= limit - advertInterval / 10;',
    after: 'return limit < 0;',
    unit: instance,
    simulator: routers,
  },
  {
    name: 'an heir that was in fault is master',
    file: 'vrrp/instance.ts',
    before: "const heir = this.#state === 'INIT' && ",
    after: 'const heir = ',
    unit: instance,
  },
  {
    name: 'an heir that begins late is master',
    file: 'vrrp/intervals.ts',
    before: 'since(now, left) < (downAdverts - 1) * advertInterval;',
    after: 'since(now, left) >= 0;',
    unit: instance,
  },
  {
    name: 'the skew does not keep the order of backups',
    file: 'vrrp/intervals.ts',
    before: 'return micros(((256 - settings.priority) * whole) / 256);',
    after: 'return micros((settings.priority * whole) / 256);',
    unit: instance,
    simulator: routers,
  },
  {
    name: 'nopreempt is ignored',
    file: 'vrrp/preemption.ts',
    before: 'if (priority >= own || !this.allowed || this.yields) {',
    after: 'if (priority >= own || this.yields) {',
    unit: instance,
    simulator: routers,
  },
  {
    name: 'who handed over takes it back at once',
    file: 'vrrp/preemption.ts',
    before: 'if (priority >= own || !this.allowed || this.yields) {',
    after: 'if (priority >= own || !this.allowed) {',
    unit: instance,
    simulator: routers,
  },
  {
    name: 'a master that another may have replaced goes on',
    file: 'vrrp/instance.ts',
    before: "return this.#state === 'MASTER' && this.#advertiser.mayBeReplaced(now);",
    after: 'return now < 0;',
    unit: instance,
    simulator: routers,
  },
  {
    name: 'addresses stay when mastership ends',
    file: 'vrrp/instance.ts',
    before: "if (from === 'MASTER' || from === 'INIT') this.#parts.mastership.release();",
    after: "if (from === 'INIT') this.#parts.mastership.release();",
    unit: instance,
    simulator: { of: 'routers', must: true },
  },
  {
    name: 'any resignation is one of the master that is followed',
    file: 'vrrp/silence.ts',
    before: 'if (this.#followed !== undefined && this.#followed.address !== source) return;',
    after: '',
    unit: instance,
    simulator: routers,
  },
  {
    name: 'a group does not take its masters down',
    file: 'vrrp/group.ts',
    before: "if (standing?.state === 'MASTER') this.#tell(name, { type, why });",
    after: 'void [name, standing, why, type];',
    unit: group,
    simulator: { of: 'routers', must: true },
  },
  {
    name: 'a fault of one member is nothing to the others',
    file: 'vrrp/group.ts',
    before: "this.#tell(name, { type: 'group', fault });",
    after: '',
    unit: group,
    simulator: routers,
  },
  {
    name: 'the votes are given back while a member is master',
    file: 'vrrp/group.ts',
    before:
      "    if (standings.some((standing) => standing?.state === 'MASTER')) return;\n    this.#votes = 'none';",
    after: "    this.#votes = 'none';",
    unit: group,
    simulator: { of: 'clusters' },
  },
  {
    name: 'lost votes leave the masters where they are',
    file: 'vrrp/group.ts',
    before: "        this.#yield(event.why);\n        break;\n      case 'challenged':",
    after: "        break;\n      case 'challenged':",
    unit: group,
    simulator: { of: 'clusters' },
  },
];
