/** Steps of a start, some at once: a line each when done with its elapsed time; on a terminal those at work, too. */
import logUpdate from 'log-update';
import type { RunStep } from '../twin.ts';
import { duration, paint } from './output.ts';

const REDRAW_EVERY_MS = 100;

/** Shows steps on stdout. `close` leaves what is done on the screen and nothing else. */
export function showSteps(): { step: RunStep; note(text: string): void; close(): void } {
  const live = process.stdout.isTTY === true;
  const atWork = new Map<symbol, { name: string; detail: string; since: number }>();
  const draw = () => {
    const lines = [...atWork.values()].map(
      ({ name, detail, since }) =>
        `  ${paint('cyan', '…')} ${name}${detail ? `: ${detail}` : ''} ${paint('gray', duration(performance.now() - since))}`,
    );
    logUpdate(lines.join('\n'));
  };
  const timer = live ? setInterval(draw, REDRAW_EVERY_MS) : undefined;
  const print = (line: string) => {
    if (live) logUpdate.clear();
    console.log(line);
    if (live) draw();
  };
  return {
    async step(name, work) {
      const id = Symbol(name);
      const entry = { name, detail: '', since: performance.now() };
      atWork.set(id, entry);
      try {
        const result = await work((detail) => {
          entry.detail = detail;
        });
        atWork.delete(id);
        const took = paint('gray', duration(performance.now() - entry.since));
        print(`  ${paint('green', '✔')} ${name}${entry.detail ? `: ${entry.detail}` : ''} ${took}`);
        return result;
      } catch (error) {
        atWork.delete(id);
        print(`  ${paint('red', '✖')} ${name}`);
        throw error;
      }
    },
    note: (text) => print(`  ${paint('gray', text)}`),
    close() {
      clearInterval(timer);
      if (live) logUpdate.clear();
    },
  };
}
