const WINDOW_MS = 60 * 60 * 1000;

/**
 * How many restarts are left in the last hour: what fails again and again must be looked at by people, and each restart
 * of Debezium opens the slot anew. Counted as long as this process lives; a new one begins afresh.
 */
export class RestartLimit {
  readonly #perHour: number;
  readonly #clock: () => number;
  #restarts: number[] = [];

  constructor(perHour: number, clock: () => number = Date.now) {
    this.#perHour = perHour;
    this.#clock = clock;
  }

  left(): number {
    const since = this.#clock() - WINDOW_MS;
    this.#restarts = this.#restarts.filter((at) => at > since);
    return this.#perHour - this.#restarts.length;
  }

  /** Counts restarts that were made. */
  count(restarts: number): void {
    for (let n = 0; n < restarts; n += 1) this.#restarts.push(this.#clock());
  }
}
