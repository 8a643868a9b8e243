import { expect, it } from 'vitest';
import { fuzz } from './simulation/fuzz/fuzz.ts';

it('bundles: arbitrary events → documented answers only, and nothing invalid reaches DDS', async () => {
  const endings = await fuzz({ cases: 300, seed: 20_260_301 });
  // Otherwise no valid event, or no invalid one, was among them.
  const reached = ['http: success', 'event-bus: success', 'invoke: success', 'strangers: Unauthorized'];
  expect(Object.keys(endings)).toEqual(expect.arrayContaining([...reached, 'http: InvalidRequest']));
}, 120_000);
