import type { Machine } from './machine.ts';
import type { Scene } from './scene.ts';

/** The interface's own address, which the service has to set, and the director's. */
export const OWN = '10.9.0.1';
const VIP = '10.9.0.100';
const CONFIGURATION = '/etc/keepalived/keepalived.conf';
/** Without them no service of interfaces does anything; the lab's machine has them masked (engine/init.sh). */
const UDEV = 'systemd-udevd systemd-udevd-control.socket systemd-udevd-kernel.socket';

/** A service that interfaces belong to, which removes addresses that it does not know. */
export interface InterfaceService {
  readonly unit: string;
  /** Prints what it knows of the interface `lan`. */
  readonly show: string;
  /** What that says when it has set the interface up. */
  readonly setUp: RegExp;
}

/** A director under systemd whose interface `lan` belongs to such a service. */
export class ManagedDirector {
  readonly #scene: Scene;
  readonly #machine: Machine;
  readonly #service: InterfaceService;
  readonly #program: (name: string) => string[];

  /** `program` gives where one of our programs is in the machine: its command line. */
  constructor(
    scene: Scene,
    machine: Machine,
    service: InterfaceService,
    program: (name: string) => string[],
  ) {
    this.#scene = scene;
    this.#machine = machine;
    this.#service = service;
    this.#program = program;
  }

  /** Runs a shell command there; what it printed. */
  async sh(command: string): Promise<string> {
    return (await this.#machine.run(command)).trim();
  }

  holds(address = VIP): Promise<boolean> {
    return this.#machine.succeeds(`ip -o address show dev lan to ${address} | grep -q .`);
  }

  /** What our doctor says there. */
  async doctor(): Promise<string> {
    return (await this.#machine.kernel.attempt([...this.#program('vipkeeper'), 'doctor'])).stdout;
  }

  /** Starts the service, which has been told of the interface, and then the daemon; resolves when it has the VIP. */
  async start(): Promise<void> {
    const { unit } = this.#service;
    await this.sh(`rm -f $(for unit in ${UDEV}; do
        echo /etc/systemd/system/$unit /etc/systemd/system/$unit.service
      done)
      systemctl daemon-reload && systemctl start systemd-udevd
      udevadm trigger --subsystem-match=net && udevadm settle
      systemctl start ${unit}`);
    await this.#isManaged();
    await this.sh(`mkdir -p $(dirname ${CONFIGURATION}) && cat >${CONFIGURATION} <<'END'
vrrp_instance web {
  interface lan
  virtual_router_id 7
  priority 255
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
}
END`);
    this.#machine.start('vipkeeperd', [...this.#program('vipkeeperd'), '-n', '-l', '-D', '-G', '-P']);
    await this.#hasVip();
  }

  /** Runs the command; what the kernel said of a VIP that was removed, until it is held again. */
  async removedBy(command: string): Promise<string[]> {
    const monitor = this.#machine.start('monitor', ['ip', '-o', 'monitor', 'address']);
    // It hears everything from when it has said of this.
    await this.#scene.until('the monitor listens', async () => {
      await this.sh('ip address add 10.9.1.1/32 dev lo; ip address delete 10.9.1.1/32 dev lo');
      return monitor.log.includes('10.9.1.1');
    });
    await this.sh(command);
    await this.#isManaged();
    await this.#hasVip();
    monitor.signal('SIGTERM');
    return monitor.log.split('\n').filter((line) => line.startsWith('Deleted') && line.includes(VIP));
  }

  #hasVip(): Promise<number> {
    return this.#scene.until('the VIP is there', () => this.holds());
  }

  /** Resolves when the service has set the interface up; its error says what the service knows and said. */
  #isManaged(): Promise<number> {
    const { unit, show, setUp } = this.#service;
    return this.#scene.until(`${unit} has set the interface up`, async () => {
      const state = await this.sh(`${show}; :`);
      if (setUp.test(state) && (await this.holds(OWN))) return true;
      const said = await this.sh(`journalctl --no-pager -n 20 -u ${unit} -u systemd-udevd`);
      throw new Error(`${state}\n${said}`);
    });
  }
}
