import { expect, it } from 'vitest';
import { complaint, replay } from '../chaos/report.ts';
import { run } from '../chaos/run.ts';

// The same in every run, so that a change is what breaks it; `npm run chaos` looks further.
const SEED = 20_260_301;

it('every event ends as one backup or as an error that its sender sees, whatever goes wrong', async () => {
  const options = { events: 2000, seed: SEED };
  const { figures, violations, world } = await run(options);
  const again = replay({ ...options, world });
  expect(violations.length, `${again}\n${complaint(violations)}`).toBe(0);

  // Otherwise the run would have shown nothing.
  const { events, deliveries, effects, faults, endings } = figures;
  expect(events, again).toBe(2000);
  expect(deliveries, again).toBeGreaterThan(3000);
  expect(effects, again).toBeGreaterThan(500);
  const { 'without end': _, ...frequent } = faults;
  expect(Object.entries(frequent).filter(([, count]) => count === 0)).toEqual([]);
  expect(Object.keys(endings)).toEqual(
    expect.arrayContaining([
      'backup.accepted',
      'backup.recognised',
      'BackupNameTaken',
      'InstanceBusy',
      'Throttled',
      'DdsUnavailable',
      'UpstreamTimeout',
    ]),
  );
}, 120_000);

it('the same seed makes the same run, to the millisecond', async () => {
  const options = { events: 150, seed: SEED };
  const { figures } = await run(options);
  expect((await run(options)).figures).toEqual(figures);
  expect((await run({ ...options, seed: SEED + 1 })).figures.fingerprint).not.toBe(figures.fingerprint);
}, 120_000);
