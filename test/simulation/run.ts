/** A run: simulations of 500 events, one after the other, each from a seed of its own. */
import type { Conditions } from './conditions.ts';
import { counter, type Figures } from './figures.ts';
import { type Violation, violations } from './invariants.ts';
import { replay } from './report.ts';
import { simulate } from './simulation.ts';

export interface RunOptions {
  readonly events: number;
  readonly seed: number;
  /** Only this one of the run's simulations, to replay it. */
  readonly only?: number | undefined;
  readonly onProgress?: (events: number) => void;
}

export interface Run {
  readonly figures: Figures;
  /** Of the first simulation that breaks an invariant. The run ends there. */
  readonly violations: readonly Violation[];
  /** Its number; -1 where every invariant held. */
  readonly simulation: number;
  /** Of that simulation. */
  readonly conditions?: Conditions;
}

const EVENTS_PER_SIMULATION = 500;

/** A simulation depends on the seed, its number and its size only. */
export async function run({ events, seed, only, onProgress }: RunOptions): Promise<Run> {
  const count = counter();
  for (let simulation = 0; simulation * EVENTS_PER_SIMULATION < events; simulation++) {
    if (only !== undefined && simulation !== only) continue;
    const size = Math.min(EVENTS_PER_SIMULATION, events - simulation * EVENTS_PER_SIMULATION);
    const history = await simulate(size, seed, simulation).catch((cause: unknown) => {
      throw new Error(`To replay this: ${replay({ events, seed, simulation })}`, { cause });
    });
    count.add(history);
    const found = violations(history);
    if (found.length > 0)
      return { figures: count.figures(), violations: found, simulation, conditions: history.conditions };
    onProgress?.(count.figures().events);
  }
  return { figures: count.figures(), violations: [], simulation: -1 };
}
