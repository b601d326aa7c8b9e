import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { readBody } from '../http.ts';
import { askMoto } from '../pass-on.ts';
import { fileOf } from '../s3/keys.ts';
import { type FunctionDefinition, functionNameOf } from './function.ts';
import { unzip } from './unzip.ts';

/** Where a deployment's functions get their code from, and where it is unpacked. */
export type DeploymentOptions = {
  motoUrl: string;
  /** Folder with one folder a bucket, as the endpoint's S3 has it. */
  lakeFolder: string;
  /** Made if missing; what is below it is the endpoint's. */
  codeFolder: string;
  /** Packages that Lambda's runtime has: their folder, the project's `node_modules`. */
  modules: string;
};

/** What of CreateFunction, UpdateFunctionCode and UpdateFunctionConfiguration decides how a function runs. */
type Settings = {
  FunctionName: string;
  Handler: string;
  Timeout?: number;
  MemorySize?: number;
  Environment?: { Variables?: Record<string, string> };
};

type Kept = { settings: Settings; folder: string };

/** What the Lambda API is told of a change: a definition to run from now on, or none any more. */
export type OnDeployed = (name: string, definition: FunctionDefinition | null) => void;

const BODY_BYTES = 16 * 1024 * 1024;
/** Lambda's defaults (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html). */
const DEFAULTS = { timeoutSeconds: 3, memoryMb: 128 };
/** What the runtime has beside a function's own code. */
const RUNTIME_SCOPES = ['@aws-sdk', '@smithy'];
const EXTENSIONS = ['.cjs', '.mjs', '.js'];

/**
 * Lambda's calls that make and change functions: moto answers them and keeps the configuration; what it took is unpacked
 * from the bucket and run here, with the environment that it was given.
 */
export class Deployments {
  readonly #options: DeploymentOptions;
  readonly #onDeployed: OnDeployed;
  readonly #kept = new Map<string, Kept>();
  #unpacked = 0;

  constructor(options: DeploymentOptions, onDeployed: OnDeployed) {
    this.#options = options;
    this.#onDeployed = onDeployed;
    const modules = join(options.codeFolder, 'node_modules');
    rmSync(options.codeFolder, { recursive: true, force: true });
    mkdirSync(modules, { recursive: true });
    for (const scope of RUNTIME_SCOPES) symlinkSync(join(options.modules, scope), join(modules, scope));
  }

  /** Answers one call as moto does. What it says about code that isn't there is an error of the call. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, BODY_BYTES);
    const change = this.#changeOf(request, body);
    const answer = await askMoto(this.#options.motoUrl, request, body);
    const content = Buffer.from(await answer.arrayBuffer());
    if (answer.ok) change?.();
    const {
      'content-encoding': coding,
      'transfer-encoding': transfer,
      ...headers
    } = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, { ...headers, 'content-length': content.length }).end(content);
  }

  /** What the call changes once moto has taken it. Code is looked for before. */
  #changeOf(request: IncomingMessage, body: Buffer): (() => void) | undefined {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const found = /^\/2015-03-31\/functions(?:\/([^/]+))?(?:\/(code|configuration))?\/?$/.exec(path);
    if (found === null) return undefined;
    const [, asked, part] = found;
    const name = asked === undefined ? undefined : functionNameOf(decodeURIComponent(asked));
    const called = `${request.method} ${part ?? ''}`.trim();
    if (name === undefined && called === 'POST') {
      const { Code, ...settings } = JSON.parse(body.toString('utf8')) as Settings & { Code: CodeLocation };
      const folder = this.#unpack(settings.FunctionName, Code);
      return () => this.#keep({ settings, folder });
    }
    const kept = name === undefined ? undefined : this.#kept.get(name);
    if (name === undefined || kept === undefined) return undefined;
    if (called === 'PUT code') {
      const folder = this.#unpack(name, JSON.parse(body.toString('utf8')) as CodeLocation);
      return () => this.#keep({ ...kept, folder });
    }
    if (called === 'PUT configuration') {
      const changed = JSON.parse(body.toString('utf8')) as Partial<Settings>;
      return () => this.#keep({ ...kept, settings: { ...kept.settings, ...changed, FunctionName: name } });
    }
    if (called !== 'DELETE') return undefined;
    return () => {
      this.#kept.delete(name);
      rmSync(kept.folder, { recursive: true });
      this.#onDeployed(name, null);
    };
  }

  #keep(kept: Kept): void {
    const name = kept.settings.FunctionName;
    const before = this.#kept.get(name);
    this.#kept.set(name, kept);
    this.#onDeployed(name, definitionOf(kept));
    if (before !== undefined && before.folder !== kept.folder) rmSync(before.folder, { recursive: true });
  }

  #unpack(name: string, { S3Bucket, S3Key }: CodeLocation): string {
    if (S3Bucket === undefined || S3Key === undefined)
      throw new Error(`${name}: only code in S3 is deployed here`);
    const archive = readFileSync(fileOf(join(this.#options.lakeFolder, S3Bucket), S3Key));
    this.#unpacked += 1;
    const folder = join(this.#options.codeFolder, `${name}-${this.#unpacked}`);
    unzip(archive, folder);
    return folder;
  }
}

type CodeLocation = { S3Bucket?: string; S3Key?: string };

function definitionOf({ settings, folder }: Kept): FunctionDefinition {
  const [, module = '', exported] = /^(.*)\.(\w+)$/.exec(settings.Handler) ?? [];
  if (exported !== 'handler') throw new Error(`${settings.Handler}: the export has to be called handler`);
  const handler = EXTENSIONS.map((extension) => join(folder, module + extension)).find((path) =>
    existsSync(path),
  );
  if (handler === undefined)
    throw new Error(`${settings.FunctionName}: its archive has no ${module}${EXTENSIONS}`);
  return {
    handler,
    timeoutSeconds: settings.Timeout ?? DEFAULTS.timeoutSeconds,
    memoryMb: settings.MemorySize ?? DEFAULTS.memoryMb,
    environment: {
      LAMBDA_TASK_ROOT: folder,
      // In Lambda the code's folder is the working directory; a thread has that of its process.
      TABLES_FILE: join(folder, 'tables.yml'),
      ...settings.Environment?.Variables,
    },
  };
}
