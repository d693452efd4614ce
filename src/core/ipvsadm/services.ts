/** What `/etc/services` says about ports, for one protocol (`tcp`, `udp`, `sctp`) at a time. */
export interface PortNames {
  /** By name or alias. */
  port(name: string, protocol: string): number | undefined;
  name(port: number, protocol: string): string | undefined;
}

/** Reads services(5): `name port/protocol aliases... # comment`. Where lines disagree the first one holds. */
export function parseServices(text: string): PortNames {
  const ports = new Map<string, number>();
  const names = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [name, where, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const [, digits, protocol] = /^(\d{1,5})\/(\w+)$/.exec(where ?? '') ?? [];
    if (name === undefined || protocol === undefined) continue;
    for (const spelling of [name, ...aliases]) {
      const key = `${spelling}/${protocol}`;
      if (!ports.has(key)) ports.set(key, Number(digits));
    }
    const key = `${Number(digits)}/${protocol}`;
    if (!names.has(key)) names.set(key, name);
  }
  return {
    port: (name, protocol) => ports.get(`${name}/${protocol}`),
    name: (port, protocol) => names.get(`${port}/${protocol}`),
  };
}
