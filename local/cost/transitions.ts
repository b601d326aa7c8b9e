/**
 * How many states an execution passes, read from its definition: Step Functions bills each time that a step is executed
 * (https://aws.amazon.com/step-functions/pricing/). The way that is counted is the dearest that ends well: an execution
 * that does less passes fewer, one that fails or tries again a few more.
 */
import { UsageError } from '../usage-error.ts';
import { numberAt } from './template.ts';

export type Definition = { StartAt: string; States: Readonly<Record<string, State>> };

type State = {
  Type: string;
  Resource?: string;
  Next?: string;
  End?: boolean;
  Default?: string;
  Choices?: readonly { Next: string }[];
  ItemProcessor?: Definition;
};

export type Passage = {
  /** Items of a Map, by the definition of what is done with each. */
  items(perItem: Definition): number;
  /** How long a loop around a Wait goes on (seconds). */
  waitingSeconds: number;
  /** States that the way does not lead through. */
  avoid?(state: State): boolean;
};

/** States passed on the dearest way that ends well; 0 when no way does. */
export function transitionsOf(definition: Definition, passage: Passage): number {
  const loops = loopsOf(definition, passage.waitingSeconds);
  const passed = (way: readonly string[]) =>
    way.reduce((sum, name) => sum + transitionsIn(stateOf(definition, name), passage), 0) +
    loops.reduce((sum, { states, looks }) => {
      return sum + (states.some((name) => way.includes(name)) ? looks * states.length : 0);
    }, 0);
  const dearestFrom = (name: string, before: readonly string[]): string[] => {
    const state = stateOf(definition, name);
    if (before.includes(name) || passage.avoid?.(state)) return [];
    if (state.End || state.Type === 'Succeed') return [name];
    const ways = nextOf(state).map((next) => dearestFrom(next, [...before, name]));
    const dearest = ways.reduce((one, other) => (passed(other) > passed(one) ? other : one), []);
    return dearest.length === 0 ? [] : [name, ...dearest];
  };
  return passed(dearestFrom(definition.StartAt, []));
}

/** A state itself, and for a Map what it does with its items. */
function transitionsIn({ ItemProcessor }: State, passage: Passage): number {
  return 1 + (ItemProcessor ? passage.items(ItemProcessor) * transitionsOf(ItemProcessor, passage) : 0);
}

/** The loops around a Wait, each with how often it is gone through until its time is over. */
function loopsOf(definition: Definition, waitingSeconds: number): { states: string[]; looks: number }[] {
  return Object.entries(definition.States)
    .filter(([, { Type }]) => Type === 'Wait')
    .map(([wait, state]) => ({ wait, state, states: shortestLoop(definition, wait) }))
    .filter(({ states }) => states.length > 0)
    .map(({ state, states }) => ({ states, looks: Math.ceil(waitingSeconds / numberAt(state, 'Seconds')) }));
}

/** From a state back to itself, by the fewest states; empty where nothing leads back. */
function shortestLoop(definition: Definition, start: string): string[] {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const next of nextOf(stateOf(definition, way.at(-1) as string))) {
      if (next === start) return way;
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return [];
}

/** Where a state leads when it does not fail. */
function nextOf({ Next, Choices = [], Default }: State): string[] {
  return [Next, ...Choices.map((choice) => choice.Next), Default].filter((name) => name !== undefined);
}

function stateOf({ States }: Definition, name: string): State {
  const state = States[name];
  if (state === undefined) throw new UsageError(`A state machine of the template has no state ${name}.`);
  return state;
}
