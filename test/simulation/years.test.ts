import { expect, it } from 'vitest';
import { seedsOf } from './seeds.ts';
import { simulateYears } from './years.ts';

// The same in every run, so that a failure is due to a change. SIMULATION_SEEDS=1-20 in the environment tries others.
const SEEDS = seedsOf(process.env.SIMULATION_SEEDS);

it.each(SEEDS)(
  'retention: two years of backups, redeliveries and changing rules (seed %i) → the last ones stay, no second backup',
  async (seed) => {
    const { figures, violations } = await simulateYears({ days: 730, seed });
    expect(violations.slice(0, 10)).toEqual([]);
    // Otherwise the run would have shown nothing.
    expect(figures.deletions).toBeGreaterThan(1000);
    expect(figures.deliveriesAfterDeletion).toBeGreaterThan(100);
    expect(figures.left).toBeLessThan(figures.backups / 2);
    expect(Object.keys(figures.endings)).toEqual(
      expect.arrayContaining(['accepted', 'replayed', 'InstanceBusy', 'DeadlinePassed']),
    );
  },
  120_000,
);
