import { EntityNotFoundException, GetJobCommand, GlueClient } from '@aws-sdk/client-glue';
import type { JobDefinition } from './glue.ts';
import { clientSettings } from './platform.ts';

/** The jobs that a deployment has made, as moto keeps them. */
export class DeployedJobs {
  readonly #glue: GlueClient;
  readonly #lakeFolder: string;

  /** `lakeFolder` holds the buckets, one folder each. */
  constructor(motoUrl: string, lakeFolder: string) {
    this.#glue = new GlueClient(clientSettings(motoUrl));
    this.#lakeFolder = lakeFolder;
  }

  async find(name: string): Promise<JobDefinition | undefined> {
    try {
      const { Job } = await this.#glue.send(new GetJobCommand({ JobName: name }));
      return Job && { defaultArguments: Job.DefaultArguments ?? {} };
    } catch (error) {
      if (error instanceof EntityNotFoundException) return undefined;
      throw error;
    }
  }

  /** The arguments with the bucket as this machine's Spark reads it: the folder behind `s3://<bucket>`. */
  readable(args: Record<string, string>): Record<string, string> {
    const bucket = /^s3:\/\/([^/]+)$/.exec(args['--lake_root'] ?? '')?.[1];
    return bucket === undefined ? args : { ...args, '--lake_root': `file://${this.#lakeFolder}/${bucket}` };
  }
}
