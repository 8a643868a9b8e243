import { expect, it } from 'vitest';
import { fuzz } from '../chaos/fuzz/fuzz.ts';

it('whatever event comes in, only documented answers come out, and nothing invalid reaches DDS', async () => {
  const endings = await fuzz({ cases: 300, seed: 20_260_301 });
  // Otherwise nothing valid came by, or nothing invalid.
  const reached = ['http: success', 'event-bus: success', 'invoke: success', 'strangers: Unauthorized'];
  expect(Object.keys(endings)).toEqual(expect.arrayContaining([...reached, 'http: InvalidRequest']));
}, 120_000);
