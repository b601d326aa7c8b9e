import type { StageContext } from './generated.ts';
import { att } from './intrinsics.ts';
import { chosen, PackagingError, required } from './packaging-error.ts';

/** The source database as the network sees it: one of this stack, or one in a network of its own that is peered. */
export type Source = {
  kind: 'own' | 'existing';
  port: number;
  /** Its security group. */
  group: unknown;
  peer: Peer | null;
};

/** The network of an existing database. */
export type Peer = { vpc: string; cidr: string; routeTables: string[] };

const OF_EXISTING = [
  'sourceHost',
  'sourceDatabase',
  'sourceSecretId',
  'sourceSecurityGroup',
  'sourceVpc',
  'sourceVpcCidr',
  'sourceRouteTables',
] as const;

/** Reads the parameters of the source. @throws PackagingError that names every one that is missing or wrong */
export async function readSource(context: StageContext): Promise<Source> {
  const port = await readPort(context);
  const kind = await chosen(context, 'database', ['own', 'existing']);
  if (kind === 'own') return { kind, port, group: att('DatabaseSecurityGroup', 'GroupId'), peer: null };
  const { sourceSecurityGroup, sourceVpc, sourceVpcCidr, sourceRouteTables } = await required(
    context,
    OF_EXISTING,
    'database=existing',
  );
  const routeTables = sourceRouteTables.split(',').map((id) => id.trim());
  const peer = { vpc: sourceVpc, cidr: sourceVpcCidr, routeTables };
  return { kind, port, group: sourceSecurityGroup, peer };
}

async function readPort({ stage, param }: StageContext): Promise<number> {
  const text = await param('sourcePort');
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new PackagingError(
    `The parameter sourcePort of stage ${stage} is "${text}"; it must be a port, as 5432.`,
  );
}
