import type { ClusterSettings, EtcdSettings } from '../../fence/settings.ts';
import type { witness } from '../grammar/cluster.ts';
import type { root } from '../grammar/root.ts';
import { Section } from '../tree.ts';
import type { Context } from './context.ts';

type Witness = Section<typeof witness>;

const PORT = 5407;
const PREFIX = '/vipkeeper';
const NAMES = { witness: 'witness', etcd: 'etcd' };
/** Those that say how etcd is reached. */
const OF_ETCD = ['prefix', 'ca_file', 'cert_file', 'key_file', 'user', 'password_file'] as const;
const SECRET = ['key_file', 'password_file'];

/** Who has the last vote by the block `witness`: vipkeeper-witness, or an etcd cluster. */
export function buildWitness(
  file: Section<typeof root>,
  context: Context,
): Pick<ClusterSettings, 'witness' | 'etcd'> {
  const { findings } = context;
  const blocks = file.all('witness');
  const [first] = blocks;
  if (first === undefined) return {};
  const section: Witness = Section.joined(blocks);
  const addresses = section.value('address');
  const endpoints = section.value('etcd');
  if (endpoints !== undefined) {
    for (const other of ['address', 'port'] as const)
      if (section.has(other))
        findings.error(section.token(other) ?? first.keyword, 'the witness is either etcd or at an address', {
          hint: `remove ${other}, or the line etcd`,
        });
    return { etcd: etcdOf(section, endpoints, context) };
  }
  if (!section.has('etcd')) {
    for (const word of OF_ETCD) {
      const at = section.token(word);
      if (at !== undefined)
        findings.error(at, `${word} is for a witness that is etcd`, { hint: 'etcd URL ...' });
    }
  }
  if (addresses === undefined) {
    if (!section.has('address') && !section.has('etcd') && !section.damaged)
      findings.error(first.keyword, 'witness has no address', { hint: 'address ADDR, or etcd URL ...' });
    return {};
  }
  const name = section.value('name') ?? NAMES.witness;
  return { witness: { name, addresses, port: section.value('port') ?? PORT } };
}

function etcdOf(section: Witness, endpoints: readonly string[], context: Context): EtcdSettings {
  const { findings } = context;
  const [ca, certificate, key] = [
    section.value('ca_file'),
    section.value('cert_file'),
    section.value('key_file'),
  ];
  const [user, passwordFile] = [section.value('user'), section.value('password_file')];
  const at = section.token('etcd');
  if (at !== undefined) {
    if ((certificate === undefined) !== (key === undefined))
      findings.error(at, 'cert_file and key_file go together', { hint: 'give both, or neither' });
    if ((user === undefined) !== (passwordFile === undefined))
      findings.error(at, 'user and password_file go together', { hint: 'give both, or neither' });
    if (user !== undefined && endpoints.some((endpoint) => endpoint.startsWith('http:')))
      findings.warning(at, 'the password goes over the network as it is', { hint: 'https://, and ca_file' });
    if (endpoints.some((endpoint) => Number(/:(\d+)\/?$/.exec(endpoint)?.[1]) > 65_535))
      findings.error(at, 'a port is a number from 1 to 65535');
  }
  for (const word of OF_ETCD) if (word.endsWith('_file')) checkFile(section, word, context);
  return {
    name: section.value('name') ?? NAMES.etcd,
    endpoints,
    prefix: section.value('prefix') ?? PREFIX,
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { certificate }),
    ...(key !== undefined && { key }),
    ...(user !== undefined && { user }),
    ...(passwordFile !== undefined && { passwordFile }),
  };
}

function checkFile(
  section: Witness,
  word: (typeof OF_ETCD)[number],
  { findings, facts, reader }: Context,
): void {
  const entry = section.last(word);
  if (entry === undefined) return;
  const [path] = entry.values;
  const where = entry.words[0] ?? entry.keyword;
  const read = reader.read(path);
  if (read.kind !== 'text') findings.error(where, `the file cannot be read: ${path} ${read.problem}`);
  else if (SECRET.includes(word) && facts.isExposed(path))
    findings.error(where, `others than its owner can read ${path}`, { hint: `chmod 600 ${path}` });
}
