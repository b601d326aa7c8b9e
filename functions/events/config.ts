import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { present, readEnvironment } from '../cdc/environment.ts';
import { TRANSACTION_TABLE } from '../cdc/names.ts';
import {
  PLACEHOLDER_RULE,
  PLACEHOLDER_VARIABLES,
  type PlaceholderSetting,
  placeholderSetting,
} from '../cdc/placeholder-setting.ts';
import { parseRegistry } from '../cdc/registry.ts';

export type EventsConfig = {
  /** Ids of the tables that have a topic, the transaction metadata's among them. */
  tables: string[];
  /** `host:port` of some brokers. */
  brokers: string[];
  /** Secret with username and password for SCRAM over TLS; null where Kafka asks for neither. */
  kafkaSecretId: string | null;
  placeholder: PlaceholderSetting;
};

/** `none`: a parameter on the command line of osls can't be empty. */
const NO_SECRET = ['', 'none'];

const environment = z
  .object({
    KAFKA_BROKERS: present.transform((brokers) => brokers.split(',')),
    KAFKA_SECRET_ID: z.string().default(''),
    ...PLACEHOLDER_VARIABLES,
    TABLES_FILE: z.string().default('tables.yml'),
  })
  .refine(...PLACEHOLDER_RULE);

/**
 * Reads the function's environment and the table registry beside the code (`TABLES_FILE`, from the working directory).
 * @throws Error that names every variable that is missing or wrong
 */
export function loadConfig(env: NodeJS.ProcessEnv): EventsConfig {
  const variables = readEnvironment('events', environment, env);
  const { tables } = parseRegistry(readFileSync(variables.TABLES_FILE, 'utf8'));
  return {
    tables: [...tables.map(({ id }) => id), TRANSACTION_TABLE],
    brokers: variables.KAFKA_BROKERS,
    kafkaSecretId: NO_SECRET.includes(variables.KAFKA_SECRET_ID) ? null : variables.KAFKA_SECRET_ID,
    placeholder: placeholderSetting(variables),
  };
}
