import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type Definition, type Passage, transitionsOf } from '../../../../local/cost/transitions.ts';

const PASSAGE: Passage = { items: () => 0, waitingSeconds: 0 };

const choice = (...next: string[]) => ({
  Type: 'Choice',
  Choices: next.slice(1).map((Next) => ({ Next })),
  Default: next[0] as string,
});
const pass = (Next: string) => ({ Type: 'Pass', Next });
const end = { Type: 'Pass', End: true };

function machine(StartAt: string, States: Definition['States']): Definition {
  return { StartAt, States };
}

function deployed(name: string): Definition {
  const file = new URL(`../../../../statemachines/${name}.asl.yml`, import.meta.url);
  return parse(readFileSync(file, 'utf8'), { logLevel: 'error' }) as Definition;
}

describe('the transitions of an execution', () => {
  it('are the states on its dearest way that ends well', () => {
    const ways = machine('A', {
      A: choice('Broken', 'Short', 'B'),
      B: pass('C'),
      C: end,
      Short: end,
      Broken: pass('Explain'),
      Explain: pass('Alert'),
      Alert: pass('Fail'),
      Fail: { Type: 'Fail' },
    });
    expect(transitionsOf(ways, PASSAGE)).toBe(3);
  });

  it('count what a Map does for each item', () => {
    const perItem = machine('One', { One: pass('Two'), Two: end });
    const mapping = machine('Each', { Each: { Type: 'Map', ItemProcessor: perItem, End: true } });
    expect(transitionsOf(mapping, { ...PASSAGE, items: (of) => (of === perItem ? 4 : 0) })).toBe(1 + 4 * 2);
  });

  it('count a loop around a Wait as often as it looks', () => {
    const waiting = machine('Look', {
      Look: pass('Ready'),
      Ready: choice('Wait', 'Done'),
      Wait: { Type: 'Wait', Seconds: 20, Next: 'Look' } as Definition['States'][string],
      Done: end,
    });
    expect(transitionsOf(waiting, PASSAGE)).toBe(3);
    expect(transitionsOf(waiting, { ...PASSAGE, waitingSeconds: 60 })).toBe(3 + 3 * 3);
  });

  it('leave out a loop that the way does not touch, and a Wait that is none', () => {
    const patient = machine('Once', {
      Once: { Type: 'Wait', Seconds: 20, Next: 'Done' } as Definition['States'][string],
      Done: end,
    });
    expect(transitionsOf(patient, { ...PASSAGE, waitingSeconds: 60 })).toBe(2);
  });

  it('of the medallion are a part of its states, and far fewer where there is nothing to do', () => {
    const medallion = deployed('medallion');
    const avoid: Passage['avoid'] = ({ Resource = '' }) => Resource.includes(':glue:');
    const [working, idle] = [PASSAGE, { ...PASSAGE, avoid }].map((passage) =>
      transitionsOf(medallion, passage),
    ) as [number, number];
    expect(working).toBeLessThan(Object.keys(medallion.States).length);
    // A job, a gate and a choice behind each, for three layers.
    expect(working - idle).toBeGreaterThanOrEqual(3 * 4 - 1);
    expect(idle).toBeGreaterThan(5);
  });

  it.each(['medallion', 'maintenance', 'backfill', 'cost-guard'])('of %s are known', (name) => {
    expect(transitionsOf(deployed(name), { items: () => 3, waitingSeconds: 600 })).toBeGreaterThan(5);
  });

  it('refuse a definition that leads to no state', () => {
    expect(() => transitionsOf(machine('A', { A: pass('Gone') }), PASSAGE)).toThrow('has no state Gone');
  });
});
