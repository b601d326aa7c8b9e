import { expect, it } from '@jest/globals';
import { shownConfig } from '../../../../functions/connector/shown-config.ts';

it("a connector's configuration is shown without what is secret in it", () => {
  const shown = shownConfig({
    'topic.prefix': 'cdc',
    'database.password': 'x',
    'unavailable.value.placeholder': 'y',
    'slot.name': 's',
  });
  expect(Object.entries(shown)).toEqual([
    ['slot.name', 's'],
    ['topic.prefix', 'cdc'],
  ]);
});
