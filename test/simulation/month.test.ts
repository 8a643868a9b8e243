import { expect, it } from 'vitest';
import { simulateMonth } from './month.ts';
import { seedsOf } from './seeds.ts';

// The same in every run, so that a failure is due to a change. SIMULATION_SEEDS=1-20 in the environment tries others.
const SEEDS = seedsOf(process.env.SIMULATION_SEEDS);

it.each(SEEDS)(
  'monitor: a month of runs that fail, are late or repeated (seed %i) → every event once, every FAILED in a report',
  async (seed) => {
    const { violations, figures } = await simulateMonth({ days: 30, seed });
    expect(violations.slice(0, 10)).toEqual([]);
    expect(figures.runs).toBeGreaterThan(8000);
    expect(figures.failedRuns).toBeGreaterThan(5);
    expect(figures.reports).toBeGreaterThanOrEqual(29);
    const { completed = 0, failed = 0, stuck = 0, overdue = 0, unknown = 0 } = figures.events;
    expect(Math.min(completed, failed, stuck, overdue, unknown)).toBeGreaterThan(0);
  },
  120_000,
);
