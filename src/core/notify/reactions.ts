import { unreachable } from '../assert.ts';
import type {
  AlarmHappening,
  GroupHappening,
  Happening,
  InstanceHappening,
  RouterWord,
  VoterHappening,
} from './happening.ts';
import type { Hook } from './hooks.ts';
import type { FifoKind, NotifyConfiguration, NotifyEvent, NotifySettings } from './settings.ts';

/** A mail as keepalived words it. */
export interface Mail {
  /** Without the router id before it. */
  readonly subject: string;
  readonly body: string;
}

/** What is to be done about a happening. */
export interface Reaction {
  /** Of whom the hooks are: those of one run in the order of events. */
  readonly subject: string;
  /** In the order in which they are started: the state's own, then `notify`. */
  readonly hooks: readonly Hook[];
  readonly urgent: boolean;
  /** A line for each FIFO that there is of these kinds, with its end. */
  readonly line?: { readonly kinds: readonly FifoKind[]; readonly text: string };
  readonly mail?: Mail;
}

/** What each keyword of scripts is called in messages. */
const KEYWORDS: Record<NotifyEvent, string> = {
  master: 'notify_master',
  backup: 'notify_backup',
  fault: 'notify_fault',
  stop: 'notify_stop',
  any: 'notify',
  deleted: 'notify_deleted',
  lower: 'notify_master_rx_lower_pri',
  up: 'up script',
  down: 'down script',
};
const OWN_SCRIPT: Record<RouterWord, NotifyEvent> = {
  MASTER: 'master',
  BACKUP: 'backup',
  FAULT: 'fault',
  STOP: 'stop',
  DELETED: 'deleted',
};
/** keepalived's words (vrrp/vrrp_notify.c), for those who filter their mail by them. */
const SUBJECTS: Record<RouterWord, string> = {
  MASTER: 'Entering MASTER state',
  BACKUP: 'Entering BACKUP state',
  FAULT: 'Entering FAULT state',
  STOP: 'Stopping',
  DELETED: 'Deleted',
};
const INSTANCE_BODIES: Record<RouterWord, string> = {
  MASTER: '=> VRRP Instance is now owning VRRP VIPs <=',
  BACKUP: '=> VRRP Instance is no longer owning VRRP VIPs <=',
  FAULT: '=> VRRP Instance is no longer owning VRRP VIPs <=',
  STOP: '=> VRRP Instance stopping <=',
  DELETED: '=> VRRP Deleted at reload <=',
};
const GROUP_BODIES: Partial<Record<RouterWord, string>> = {
  MASTER: '=> All VRRP group instances are now in MASTER state <=',
  BACKUP: '=> All VRRP group instances are now in BACKUP state <=',
  FAULT: '=> All VRRP group instances are now in FAULT state <=',
  STOP: '=> All VRRP group instances are now stopping <=',
};

const ALARMS: Record<AlarmHappening['about'], string> = {
  director: 'DIRECTOR',
  device: 'FENCE_DEVICE',
  votes: 'VOTES',
  sync: 'SYNC',
};
const ALARM_SUBJECTS: Record<AlarmHappening['about'], string> = {
  director: 'Director',
  device: 'Fence device',
  votes: 'Votes for',
  sync: 'Connection sync of',
};

/** News of an instance that are about two masters, and the subjects of their mails. */
const ALARMING: Partial<Record<InstanceHappening['what'], string>> = {
  OTHER_MASTER: 'Another MASTER',
  STILL_SERVED: 'Silent MASTER serves on',
};

const VRRP = ['all', 'vrrp'] as const;
const LVS = ['all', 'lvs'] as const;

const isNews = (what: string): boolean => what.includes('_');
const keyOf = (of: string, name: string, service = ''): string => JSON.stringify([of, name, service]);

/**
 * Who is told of what, and in which words: keepalived's (its vrrp_notify.c, ipwrapper.c and smtp.c say which). Scripts
 * of ours find more in the environment: `VIPKEEPER_CAUSE` and its kin.
 */
export class Reactions {
  #configuration: NotifyConfiguration;
  #subjects = new Map<string, NotifySettings>();
  /** Who was taken out of the configuration, until its end is told. */
  #gone = new Map<string, NotifySettings>();
  /** The last state of each that a mail told: it is not told twice. */
  readonly #mailed = new Map<string, string>();

  constructor(configuration: NotifyConfiguration) {
    this.#configuration = configuration;
    this.configure(configuration);
  }

  configure(configuration: NotifyConfiguration): void {
    this.#configuration = configuration;
    const before = this.#subjects;
    this.#subjects = new Map(configuration.subjects.map((s) => [keyOf(s.of, s.name, s.service), s]));
    this.#gone = new Map([...before].filter(([key]) => !this.#subjects.has(key)));
    for (const key of this.#mailed.keys())
      if (before.has(key) && this.#gone.has(key)) this.#mailed.delete(key);
  }

  /** Nothing to do is a reaction without anything in it. */
  to(happening: Happening): Reaction {
    if (happening.of === 'alarm') return this.#alarm(happening);
    const service = 'service' in happening ? happening.service : '';
    const of = happening.of === 'check' ? 'server' : happening.of;
    const key = keyOf(of, happening.name, service);
    const settings = this.#subjects.get(key) ?? this.#gone.get(key);
    switch (happening.of) {
      case 'instance':
        return this.#instance(key, happening, settings);
      case 'group':
        return this.#router(key, happening, happening.what, settings);
      case 'service':
      case 'server':
        return this.#balanced(key, happening, settings);
      case 'check': {
        const each = this.#configuration.mail?.eachCheck !== false;
        const wanted = settings?.mail === true && (each || happening.turned);
        return { ...NOTHING, subject: key, ...(wanted && { mail: serverMail(happening, happening.text) }) };
      }
      case 'voter':
        return { ...NOTHING, subject: key, ...this.#voter(happening) };
      default:
        return unreachable(happening);
    }
  }

  /** Nobody's script is for it; it is told to the FIFO of all, and mailed where mails are sent at all. */
  #voter({ name, what, cause }: VoterHappening): Pick<Reaction, 'line' | 'mail'> {
    const mail = { subject: `Director ${name} - ${what}`, body: `=> ${cause} <=` };
    const line = { kinds: ['all'], text: `VOTER "${name}" ${what}\n` } as const;
    return { line, ...(this.#configuration.mail !== undefined && { mail }) };
  }

  #alarm(happening: AlarmHappening): Reaction {
    const { about, name, what, cause } = happening;
    const subject = keyOf('fencing', '');
    const settings = this.#subjects.get(subject);
    const kind = ALARMS[about];
    return {
      ...NOTHING,
      subject,
      hooks: this.#hooks(['any'], happening, [kind, name, what, '0'], settings),
      line: { kinds: VRRP, text: `${kind} "${name}" ${what} 0\n` },
      ...(settings?.mail === true && {
        mail: { subject: `${ALARM_SUBJECTS[about]} ${name} - ${what}`, body: `=> ${cause} <=` },
      }),
    };
  }

  #instance(key: string, happening: InstanceHappening, settings: NotifySettings | undefined): Reaction {
    const { what, from } = happening;
    if (isNews(what)) return this.#news(key, happening, settings);
    // The end of an instance is a FAULT to those who do not know DELETED; who was in FAULT has said so.
    const hearsIt = settings?.toldOfEnd === true || settings?.scripts.deleted !== undefined;
    const told = what === 'DELETED' && !hearsIt ? 'FAULT' : (what as RouterWord);
    if (what === 'DELETED') this.#gone.delete(key);
    if (what === 'DELETED' && told === 'FAULT' && from === 'FAULT') return { ...NOTHING, subject: key };
    return this.#router(key, happening, told, settings);
  }

  #news(key: string, happening: InstanceHappening, settings: NotifySettings | undefined): Reaction {
    const alarm = ALARMING[happening.what];
    if (alarm !== undefined) return this.#alarming(key, happening, alarm, settings);
    const lower = happening.what === 'MASTER_RX_LOWER_PRI';
    if (!lower && settings?.priorities !== true) return { ...NOTHING, subject: key };
    return {
      ...NOTHING,
      subject: key,
      hooks: lower ? this.#hooks(['lower'], happening, [], settings) : [],
      line: { kinds: VRRP, text: routerLine(happening, happening.what) },
    };
  }

  /** Two masters are the worst that can be: whoever is told of states hears of it. */
  #alarming(
    key: string,
    happening: InstanceHappening,
    alarm: string,
    settings: NotifySettings | undefined,
  ): Reaction {
    const { name, what, priority, cause } = happening;
    return {
      ...NOTHING,
      subject: key,
      hooks: this.#hooks(['any'], happening, ['INSTANCE', name, what, String(priority)], settings),
      line: { kinds: VRRP, text: routerLine(happening, what) },
      ...(settings?.mail === true && {
        mail: { subject: `VRRP Instance ${name} - ${alarm}`, body: `=> ${cause} <=` },
      }),
    };
  }

  #router(
    key: string,
    happening: InstanceHappening | GroupHappening,
    told: RouterWord,
    settings: NotifySettings | undefined,
  ): Reaction {
    const priority = happening.of === 'instance' ? happening.priority : 0;
    const words = [happening.of.toUpperCase(), happening.name, told, String(priority)];
    const mail = this.#routerMail(key, happening, told, settings);
    return {
      subject: key,
      hooks: this.#hooks([OWN_SCRIPT[told], 'any'], happening, words, settings),
      urgent: told === 'STOP',
      line: { kinds: VRRP, text: routerLine(happening, told) },
      ...(mail !== undefined && { mail }),
    };
  }

  #routerMail(
    key: string,
    { of, name }: InstanceHappening | GroupHappening,
    told: RouterWord,
    settings: NotifySettings | undefined,
  ): Mail | undefined {
    const body = of === 'instance' ? INSTANCE_BODIES[told] : GROUP_BODIES[told];
    const faults = this.#configuration.mail?.faults !== false;
    if (settings?.mail !== true || body === undefined || (told === 'FAULT' && !faults)) return undefined;
    if (this.#mailed.get(key) === told) return undefined;
    this.#mailed.set(key, told);
    const kind = of === 'instance' ? 'VRRP Instance' : 'VRRP Group';
    return { subject: `${kind} ${name} - ${SUBJECTS[told]}`, body };
  }

  #balanced(
    key: string,
    happening: Extract<Happening, { of: 'service' | 'server' }>,
    settings: NotifySettings | undefined,
  ): Reaction {
    const { what, name, stopping = false } = happening;
    if (stopping && settings?.omega !== true) return { ...NOTHING, subject: key };
    const events = what === 'UP' ? (['up'] as const) : what === 'DOWN' ? (['down'] as const) : [];
    const line = happening.of === 'service' ? `VS ${name}` : `RS ${name} ${happening.service}`;
    const mail = this.#balancedMail(happening, settings);
    return {
      subject: key,
      hooks: this.#hooks(events, happening, [], settings),
      urgent: stopping,
      line: { kinds: LVS, text: `${line} ${what}\n` },
      ...(mail !== undefined && { mail }),
    };
  }

  #balancedMail(
    happening: Extract<Happening, { of: 'service' | 'server' }>,
    settings: NotifySettings | undefined,
  ): Mail | undefined {
    if (settings?.mail !== true) return undefined;
    if (happening.of === 'service') {
      const text = happening.stopping === true ? 'Shutting down' : happening.text;
      return { subject: `Virtualserver ${happening.name} - ${happening.what}`, body: `=> ${text} <=` };
    }
    // Otherwise its checkers say it.
    if (happening.stopping === true) return serverMail(happening, 'Shutting down');
    return happening.removed === true ? serverMail(happening, 'Removing') : undefined;
  }

  /** The scripts that there are for these events; `words` are what `notify` gets. */
  #hooks(
    events: readonly NotifyEvent[],
    happening: Happening,
    words: readonly string[],
    settings: NotifySettings | undefined,
  ): Hook[] {
    return events.flatMap((event) => {
      const script = settings?.scripts[event];
      if (script === undefined) return [];
      return [
        {
          title: `${KEYWORDS[event]} of ${happening.name}`,
          command: event === 'any' ? [...script.command, ...words] : script.command,
          ...(script.user !== undefined && { user: script.user }),
          environment: environmentOf(happening),
          timeout: this.#configuration.timeout,
        },
      ];
    });
  }
}

const NOTHING = { hooks: [], urgent: false } as const;

/** A FIFO's line: `INSTANCE "web" MASTER 150`, and its end. The priority of a group is 0. */
export const routerLine = (happening: InstanceHappening | GroupHappening, what: string): string => {
  const priority = happening.of === 'instance' ? happening.priority : 0;
  return `${happening.of.toUpperCase()} "${happening.name}" ${what} ${priority}\n`;
};

const serverMail = (
  { name, service, what }: Extract<Happening, { of: 'server' | 'check' }>,
  text: string,
): Mail => ({ subject: `Realserver ${name} of virtual server ${service} - ${what}`, body: `=> ${text} <=` });

/** What keepalived does not tell; values hold no line ends and no zero bytes. */
function environmentOf(happening: Happening): Record<string, string> {
  const clean = (text: string): string => text.replace(/[\0\r\n]+/g, ' ');
  return {
    VIPKEEPER_TYPE: happening.of === 'alarm' ? ALARMS[happening.about] : happening.of.toUpperCase(),
    VIPKEEPER_NAME: happening.name,
    VIPKEEPER_STATE: happening.what,
    VIPKEEPER_CAUSE: clean(happening.cause),
    ...('from' in happening && { VIPKEEPER_FROM: happening.from }),
    ...('priority' in happening && { VIPKEEPER_PRIORITY: String(happening.priority) }),
    ...('service' in happening && { VIPKEEPER_SERVICE: happening.service }),
  };
}
