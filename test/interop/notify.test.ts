import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { file, keepalived, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import type { Program } from '../lab/scene/program.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';
import { startExim } from './exim.ts';

/**
 * The same configuration and the same day for keepalived and for us: scripts must get the same words, the pipe the
 * same lines, and the mail server the same mails. What happens to different instances at once has no order: keepalived
 * starts all scripts side by side. So each instance, each keyword, is compared for itself.
 */
await enclose();

const DAEMONS = {
  vipkeeper: (host: Host, text: string) => vipkeeper(host, text, '-P'),
  keepalived: (host: Host, text: string) => keepalived(host, text, '-P', '-G'),
};
const MAIL_PORT = 2525;

/** What others were told: by keyword and instance, in order. */
interface Story {
  readonly scripts: Record<string, string[]>;
  readonly lines: Record<string, string[]>;
  readonly mails: Record<string, string[]>;
}

class Day {
  readonly #scene = new Scene();
  readonly #start: (host: Host, text: string) => Program;
  readonly #host: Host;
  readonly #lone: Link;
  readonly #folder: string;

  constructor(daemon: keyof typeof DAEMONS) {
    const links = ['front', 'back', 'lone'].map((name) => this.#scene.link(name));
    this.#host = this.#scene.host('director');
    for (const [i, link] of links.entries()) this.#host.on(link, `10.0.${i}.1/24`);
    this.#lone = links[2] ?? this.#scene.link('none');
    this.#start = DAEMONS[daemon];
    this.#folder = join(this.#scene.folder, 'told');
    mkdirSync(this.#folder, { mode: 0o755 });
    this.#script('tell', `echo "$*" >>${this.#folder}/scripts`);
    // At the stop keepalived ends its reader before that has read all: it reads nothing.
    this.#script('read', `echo reader $# $1 >>${this.#folder}/scripts; exec sleep 1000`);
    execFileSync('mkfifo', ['-m', '0600', join(this.#folder, 'fifo')]);
    this.#host.start('cat', ['sh', '-c', `exec cat <>${this.#folder}/fifo >${this.#folder}/lines`]);
    writeFileSync(this.#number, '0\n');
  }

  get #number(): string {
    return join(this.#folder, 'number');
  }

  #script(name: string, text: string): void {
    const path = join(this.#folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  }

  async live(): Promise<Story> {
    const exim = await startExim(this.#host, MAIL_PORT);
    const kept = (): string[] => exim.mails().filter((mail) => !mail.includes('Stopping'));
    const daemon = this.#start(this.#host, this.#configuration(true));
    await this.#lines('INSTANCE "lone" MASTER 150', 'GROUP "both" MASTER 0');
    ip('director', 'link set back down');
    await this.#lines('GROUP "both" FAULT 0');
    ip('director', 'link set back up');
    await this.#lines('GROUP "both" MASTER 0', 'INSTANCE "front" MASTER 100', 2);
    await this.#meetRival();
    writeFileSync(this.#number, '-30\n');
    await this.#lines('INSTANCE "lone" MASTER_PRIORITY 120');
    // keepalived 2.2.7 tells a priority that is not the configured one again at each reload.
    writeFileSync(this.#number, '0\n');
    await this.#lines('INSTANCE "lone" MASTER_PRIORITY 150');
    const name = daemon.name.includes('keepalived') ? 'keepalived.conf' : 'vipkeeper.conf';
    file(this.#host, name, this.#configuration(false));
    // A reload and a stop of keepalived drop the mails that are under way.
    await this.#mailed(kept);
    daemon.signal('SIGHUP');
    await this.#lines('INSTANCE "gone" DELETED');
    await this.#mailed(kept);
    await daemon.stop();
    await this.#scene.until('all is written', () => this.#count('STOP') === 4);
    await this.#mailed(kept);
    await exim.stop();
    return this.#story(kept());
  }

  /** There is a mail for each line but those of priorities and of the stop. */
  async #mailed(mails: () => string[]): Promise<void> {
    const wanted = (): number => this.#count('') - this.#count('_') - this.#count('STOP');
    await this.#scene.until('all mail is there', () => mails().length === wanted());
  }

  /** A lesser router that became master where nobody heard it, and is heard now. */
  async #meetRival(): Promise<void> {
    const rival = this.#scene.host('rival').on(this.#lone, '10.0.2.2/24');
    const apart = (on: boolean): void => this.#lone.part([rival, this.#host], on);
    apart(true);
    const text = `vrrp_instance lone {
  interface lone
  virtual_router_id 12
  version 3
  priority 50
  advert_int 0.2
  virtual_ipaddress {
    10.12.0.100/24
  }
}
`;
    const daemon = vipkeeper(rival, text, '-P');
    await this.#scene.until('the rival is master', () => rival.has('10.12.0.100'));
    apart(false);
    await this.#lines('INSTANCE "lone" MASTER_RX_LOWER_PRI 150');
    await this.#scene.until('the rival gives way', () => !rival.has('10.12.0.100'));
    await daemon.stop();
  }

  #configuration(first: boolean): string {
    const tell = (...words: string[]): string => `"${this.#folder}/tell ${words.join(' ')}"`;
    const scripts = (name: string, ...more: string[]): string =>
      ['notify', 'notify_master', 'notify_backup', 'notify_fault', 'notify_stop', ...more]
        .map((keyword) => `  ${keyword} ${tell(keyword, name)}`)
        .join('\n');
    const instance = (name: string, link: string, id: number, priority: number, more = ''): string =>
      `vrrp_instance ${name} {
  interface ${link}
  virtual_router_id ${id}
  version 3
  priority ${priority}
  advert_int 0.2
${scripts(name, 'notify_deleted', 'notify_master_rx_lower_pri')}
  virtual_ipaddress {
    10.${id}.0.100/24
  }
  ${more}
}
`;
    return `global_defs {
  router_id R1
  script_user root
  enable_script_security
  vrrp_notify_fifo ${this.#folder}/fifo
  vrrp_notify_fifo_script ${this.#folder}/read
  notification_email {
    admin@example.net
    other@example.net
  }
  notification_email_from director@example.net
  smtp_server 127.0.0.1 ${MAIL_PORT}
  smtp_helo_name director.example.net
  smtp_alert_vrrp
}
vrrp_track_file number {
  file ${this.#number}
}
vrrp_sync_group both {
  group {
    front
    back
  }
${scripts('both')}
}
${instance('front', 'front', 10, 100)}
${instance('back', 'back', 11, 100)}
${instance('lone', 'lone', 12, 150, 'track_file {\n number weight 1\n}\nnotify_priority_changes on\n')}
${first ? instance('gone', 'lone', 13, 90) : ''}
`;
  }

  #read(name: string): string[] {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  }

  #count(what: string): number {
    return this.#read('lines').filter((line) => line.includes(what)).length;
  }

  async #lines(...wanted: readonly (string | number)[]): Promise<void> {
    const times = wanted.find((it) => typeof it === 'number') ?? 1;
    const lines = wanted.filter((it) => typeof it === 'string');
    await this.#scene.until(`told: ${lines.join()}`, () => lines.every((line) => this.#count(line) >= times));
  }

  #story(mails: readonly string[]): Story {
    const by = (list: readonly string[], keyOf: (line: string) => string): Record<string, string[]> => {
      const sorted: Record<string, string[]> = {};
      for (const line of list) {
        const key = keyOf(line);
        // How often a lesser master is heard before it gives way is chance.
        const again = /lower_pri/i.test(line) && sorted[key]?.includes(line) === true;
        if (!again) sorted[key] = [...(sorted[key] ?? []), line];
      }
      return sorted;
    };
    // keepalived starts its reader again at each reload, we do when something about it changed.
    const seen = this.#read('scripts');
    const scripts = seen.filter((line, i) => !line.startsWith('reader') || seen.indexOf(line) === i);
    return {
      scripts: by(scripts, (line) => line.split(' ').slice(0, 2).join(' ')),
      lines: by(this.#read('lines'), (line) => line.split(' ').slice(0, 2).join(' ')),
      // keepalived sends them all at the same time: they have no order.
      mails: by([...mails].sort(), (mail) => /VRRP \w+ \w+/.exec(mail)?.[0] ?? mail),
    };
  }

  close(): void {
    this.#scene.close();
  }
}

const test = suite('what others are told: keepalived and vipkeeper');
const dayOf = (daemon: keyof typeof DAEMONS): Promise<Story> => {
  const day = new Day(daemon);
  return day.live().finally(() => day.close());
};

/**
 * In any order: keepalived starts the scripts of each event at once, and the later may write first. The lines of the
 * FIFO have the order.
 */
const whatever = (scripts: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(scripts).map(([key, told]) => [key, [...told].sort()]));

test('scripts, lines and mails are the same', async () => {
  const theirs = await dayOf('keepalived');
  const ours = await dayOf('vipkeeper');
  assert.equal(ours.lines, theirs.lines);
  assert.equal(whatever(ours.scripts), whatever(theirs.scripts));
  assert.equal(ours.mails, theirs.mails);
  assert.ok(Object.keys(ours.scripts).length >= 20);
});

test.run();
