import {
  DescribePipeCommand,
  ListPipesCommand,
  type PipesClient,
  StartPipeCommand,
} from '@aws-sdk/client-pipes';
import type { StoppedPipe } from './verdict.ts';

/** A pipe that does not run, and the ARNs of what it reads, calls and writes. */
export type FoundPipe = StoppedPipe & { source: string; enrichment: string; target: string };

/** Every pipe whose name begins so, and of those that don't run everything that is known. */
export async function findPipes(
  client: PipesClient,
  namePrefix: string,
): Promise<{ count: number; stopped: FoundPipe[] }> {
  let count = 0;
  const names: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListPipesCommand({ NamePrefix: namePrefix, ...(token ? { NextToken: token } : {}) }),
    );
    for (const { Name, CurrentState } of page.Pipes ?? []) {
      count += 1;
      if (CurrentState !== 'RUNNING') names.push(Name ?? '');
    }
    token = page.NextToken;
  } while (token !== undefined);
  return { count, stopped: await Promise.all(names.map((name) => describe(client, name))) };
}

export async function startPipe(client: PipesClient, name: string): Promise<void> {
  await client.send(new StartPipeCommand({ Name: name }));
}

async function describe(client: PipesClient, name: string): Promise<FoundPipe> {
  const pipe = await client.send(new DescribePipeCommand({ Name: name }));
  return {
    name,
    state: pipe.CurrentState ?? '',
    desired: pipe.DesiredState ?? '',
    reason: pipe.StateReason ?? '',
    changedAt: pipe.LastModifiedTime,
    source: pipe.Source ?? '',
    enrichment: pipe.Enrichment ?? '',
    target: pipe.Target ?? '',
  };
}
