import { expect, it } from 'vitest';
import { replay, violationReport } from './simulation/report.ts';
import { run } from './simulation/run.ts';

// The same in every run, so that a failure is due to a change. `npm run test:simulation` tries other seeds.
const SEED = 20_260_301;

it('simulation: 1000 events with faults → every invariant holds', async () => {
  const options = { events: 1000, seed: SEED };
  const { figures, violations, simulation, conditions } = await run(options);
  const again = replay({ ...options, simulation });
  expect(violations.length, `${again}\n${violationReport(violations, conditions)}`).toBe(0);

  // Otherwise the run would have shown nothing.
  const { events, deliveries, executions, effects, faults, endings } = figures;
  expect(events, again).toBe(1000);
  expect(deliveries, again).toBeGreaterThan(1500);
  expect(executions, again).toBeGreaterThan(200);
  expect(effects, again).toBeGreaterThan(500);
  const { endless: _, ...frequent } = faults;
  expect(Object.entries(frequent).filter(([, count]) => count === 0)).toEqual([]);
  expect(Object.keys(endings)).toEqual(
    expect.arrayContaining([
      'request.accepted',
      'request.replayed',
      'BackupNameTaken',
      'InstanceBusy',
      'Throttled',
      'DdsUnavailable',
      'UpstreamTimeout',
      'DeadlinePassed',
      'OutcomeUnknown',
      'request.deferred',
      'deferred: request.accepted',
      'deferred: request.replayed',
    ]),
  );
}, 120_000);

it('simulation: the same seed → the same run to the millisecond', async () => {
  const options = { events: 150, seed: SEED };
  const { figures } = await run(options);
  expect((await run(options)).figures).toEqual(figures);
  expect((await run({ ...options, seed: SEED + 1 })).figures.fingerprint).not.toBe(figures.fingerprint);
}, 120_000);
