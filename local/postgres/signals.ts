import { escapeIdentifier } from 'pg';
import { platformTables } from '../../functions/cdc/connector-config.ts';
import { type Deployment, splitTableId } from '../../functions/cdc/names.ts';
import { withDatabase } from './client.ts';
import { SHOP } from './server.ts';

/** Lets the sample's owner ask Debezium for a snapshot: it may write signals, not read or change them. */
export async function allowSignals(adminUrl: string, deployment: Deployment): Promise<void> {
  const { schema, table } = splitTableId(platformTables(deployment).signal);
  const [owner, within, signal] = [SHOP, schema, table].map(escapeIdentifier);
  const grant = `GRANT USAGE ON SCHEMA ${within} TO ${owner};
GRANT INSERT ON ${within}.${signal} TO ${owner};`;
  await withDatabase(adminUrl, (client) => client.query(grant));
}
