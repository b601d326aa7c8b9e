import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Endpoint, startEndpoint } from '../../../../local/aws/endpoint.ts';
import type { FunctionDefinition } from '../../../../local/aws/lambda/function.ts';

/** An endpoint without moto and without a Spark worker, on a scratch folder. */
export type Alone = {
  endpoint: Endpoint;
  lakeFolder: string;
  output: string[];
  lost: string[];
  close(): Promise<void>;
};

/** The handlers of tests/unit/local/aws/handlers by file name; `workerUrl` for the job `job`. */
export async function startAlone(workerUrl = 'http://127.0.0.1:1'): Promise<Alone> {
  const folder = mkdtempSync(join(tmpdir(), 'cdc-endpoint-'));
  const output: string[] = [];
  const lost: string[] = [];
  const endpoint = await startEndpoint({
    port: 0,
    motoUrl: 'http://127.0.0.1:1',
    lakeFolder: join(folder, 'lake'),
    glue: { workerUrl, jobs: { job: { defaultArguments: { '--layer': 'bronze' } } } },
    lambda: {
      region: 'eu-central-1',
      functions: { answers: handlerIn('answers'), broken: handlerIn('broken'), slow: handlerIn('slow') },
      warm: false,
      onOutput: (name, text) => output.push(`${name}: ${text}`),
      onLostEvent: (name, error) => lost.push(`${name}: ${error}`),
    },
  });
  return {
    endpoint,
    lakeFolder: join(folder, 'lake'),
    output,
    lost,
    async close() {
      await endpoint.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function handlerIn(name: string): FunctionDefinition {
  return {
    handler: fileURLToPath(new URL(`./handlers/${name}.ts`, import.meta.url)),
    timeoutSeconds: 2,
    memoryMb: 128,
    environment: { OWN: name },
  };
}
