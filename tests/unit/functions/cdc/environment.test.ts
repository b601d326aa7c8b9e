import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { present, readEnvironment, wholeNumber } from '../../../../functions/cdc/environment.ts';

const shape = z
  .object({ STAGE: present, BUCKET: present, HOURS: wholeNumber.default('26'), URL: z.string().optional() })
  .refine(({ URL }) => URL !== 'both', 'set either URL or SECRET_ID');

describe("a function's environment", () => {
  it('is read by its shape, whatever else is set', () => {
    expect(readEnvironment('gate', shape, { STAGE: 'dev', BUCKET: 'lake', HOME: '/root' })).toEqual({
      STAGE: 'dev',
      BUCKET: 'lake',
      HOURS: '26',
    });
  });

  it('is refused with every variable that is missing or wrong, never with its value', () => {
    expect(() => readEnvironment('gate', shape, { STAGE: '', HOURS: '0' })).toThrow(
      /^The environment of gate is wrong: STAGE is empty; BUCKET is missing; HOURS must be a whole number from 1$/,
    );
  });

  it('is refused for variables that contradict each other', () => {
    expect(() => readEnvironment('gate', shape, { STAGE: 'dev', BUCKET: 'lake', URL: 'both' })).toThrow(
      /^The environment of gate is wrong: set either URL or SECRET_ID$/,
    );
  });
});
