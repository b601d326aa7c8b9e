/** The endpoint as a process of its own: takes its config from the environment, serves until SIGTERM. */

import { startEndpoint } from './endpoint.ts';
import { CONFIG_VARIABLE, type EndpointConfig, endpointOptions } from './twin.ts';

const text = process.env[CONFIG_VARIABLE];
if (!text) throw new Error(`${CONFIG_VARIABLE} holds no config; the twin starts this process, not a person`);
const endpoint = await startEndpoint(
  endpointOptions(JSON.parse(text) as EndpointConfig, (output) => process.stdout.write(output)),
);
process.stdout.write(`AWS endpoint at ${endpoint.url}\n`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void endpoint.close().then(() => process.exit(0));
  });
}
