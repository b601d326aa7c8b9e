import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 500;

/** Does again and again what a service does with what its account wants, until it is stopped. */
export class Follower {
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;

  /** `look` compares and acts. What goes wrong goes to `log`, and is tried again: a cluster may go between two questions. */
  constructor(look: () => Promise<void>, log: (text: string) => void) {
    this.#loop = this.#follow(look, log);
  }

  /** Resolves once the last look has ended. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  async #follow(look: () => Promise<void>, log: (text: string) => void): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await look().catch((error: Error) => log(`${error.stack}\n`));
      await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }
}
