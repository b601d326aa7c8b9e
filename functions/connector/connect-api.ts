import { setTimeout as pause } from 'node:timers/promises';

/** State of a connector or task, as Kafka Connect names it. */
export type ConnectState =
  | 'UNASSIGNED'
  | 'RUNNING'
  | 'PAUSED'
  | 'STOPPED'
  | 'FAILED'
  | 'RESTARTING'
  | 'DESTROYED';

/** `GET /connectors/<name>/status`. `trace` is the Java stack trace of a failure. */
export type ConnectorStatus = {
  connector: { state: ConnectState; worker_id: string; trace?: string };
  tasks: { id: number; state: ConnectState; worker_id: string; trace?: string }[];
};

/** `GET /connectors/<name>/offsets` (KIP-875): what the connector has committed, by source partition. */
export type ConnectorOffsets = { offsets: { partition: object; offset: Record<string, unknown> | null }[] };

/** One setting in the answer of `PUT /connector-plugins/<class>/config/validate`. */
export type ValidatedSetting = { name: string; errors: string[] };

/** Kafka Connect answered with an error; the message is its own. */
export class ConnectError extends Error {
  override name = 'ConnectError';
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** No worker answers at all. */
export class ConnectUnreachableError extends Error {
  override name = 'ConnectUnreachableError';
}

const REQUEST_TIMEOUT_MS = 30_000;
const BUSY_WITHIN_MS = 60_000;
const BUSY_PAUSE_MS = 200;
/** A rebalance is under way, or the leader changed; the same request succeeds a moment later. */
const BUSY = new Set([409, 503]);
/** The same, as Connect says it of what it passes on to no leader (DistributedHerder.checkRebalanceNeeded, Kafka 3.9). */
const REBALANCE_EXPECTED = /a rebalance is expected/;

/** Kafka Connect's REST interface, as far as one connector needs it. Requests that meet a rebalance are repeated. */
export class ConnectApi {
  readonly #url: string;

  /** @param url `http://host:port` of any worker */
  constructor(url: string) {
    this.#url = url;
  }

  /** The connector's configuration; null when there is no such connector. */
  async config(name: string): Promise<Record<string, string> | null> {
    return this.#orNull(this.#call('GET', `/connectors/${name}/config`));
  }

  /** Creates the connector or replaces its configuration. */
  async put(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await this.#call('PUT', `/connectors/${name}/config`, config);
  }

  /** Null when there is no such connector, or no worker has taken it yet. */
  async status(name: string): Promise<ConnectorStatus | null> {
    return this.#orNull(this.#call('GET', `/connectors/${name}/status`));
  }

  /** Null when there is no such connector. */
  async offsets(name: string): Promise<ConnectorOffsets | null> {
    return this.#orNull(this.#call('GET', `/connectors/${name}/offsets`));
  }

  /** Restarts the connector and its tasks where they have failed. */
  async restartFailed(name: string): Promise<void> {
    await this.#call('POST', `/connectors/${name}/restart?includeTasks=true&onlyFailed=true`);
  }

  /** Ends the connector's tasks and keeps its configuration and offsets (KIP-875). */
  async stop(name: string): Promise<void> {
    await this.#call('PUT', `/connectors/${name}/stop`);
  }

  /** Forgets what a stopped connector has read: under the same name it would start afresh. */
  async deleteOffsets(name: string): Promise<void> {
    await this.#call('DELETE', `/connectors/${name}/offsets`);
  }

  async delete(name: string): Promise<void> {
    await this.#orNull(this.#call('DELETE', `/connectors/${name}`));
  }

  /** The errors that the plugin itself finds in a configuration, by setting. */
  async validate(config: Readonly<Record<string, string>>): Promise<ValidatedSetting[]> {
    const plugin = config['connector.class']?.split('.').at(-1);
    const answer = await this.#call<{ configs: { value: ValidatedSetting }[] }>(
      'PUT',
      `/connector-plugins/${plugin}/config/validate`,
      config,
    );
    return answer.configs.map(({ value }) => value).filter(({ errors }) => errors.length > 0);
  }

  async #orNull<T>(answer: Promise<T>): Promise<T | null> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof ConnectError && error.status === 404) return null;
      throw error;
    }
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    for (const deadline = Date.now() + BUSY_WITHIN_MS; ; await pause(BUSY_PAUSE_MS)) {
      const answer = await this.#request(method, path, body);
      const text = await answer.text();
      if (answer.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
      if (!isBusy(answer.status, text) || Date.now() >= deadline) {
        throw connectError(method, path, answer.status, text);
      }
    }
  }

  async #request(method: string, path: string, body?: object): Promise<Response> {
    try {
      return await fetch(`${this.#url}${path}`, {
        method,
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
    } catch (error) {
      const reason =
        (error as Error).cause instanceof Error ? (error as { cause: Error }).cause : (error as Error);
      throw new ConnectUnreachableError(
        `Kafka Connect at ${this.#url} does not answer ${method} ${path}: ${reason.message}`,
        {
          cause: error,
        },
      );
    }
  }
}

function isBusy(status: number, text: string): boolean {
  return BUSY.has(status) || (status === 500 && REBALANCE_EXPECTED.test(text));
}

/** Connect answers errors as JSON with a message, proxies in front of it may not. */
function connectError(method: string, path: string, status: number, text: string): ConnectError {
  let message = text;
  try {
    message = (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    // Not JSON: the text itself is the message.
  }
  return new ConnectError(`Kafka Connect refused ${method} ${path} (${status}): ${message}`, status);
}
