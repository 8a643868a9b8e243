/** A run: worlds of 500 events, one after the other, each from a seed of its own. */
import { counter, type Figures } from './figures.ts';
import { type Violation, violations } from './invariants.ts';
import { replay } from './report.ts';
import { runWorld } from './world.ts';

export interface RunOptions {
  readonly events: number;
  readonly seed: number;
  /** Only this one of the run's worlds: to replay what happened in it. */
  readonly world?: number | undefined;
  readonly onProgress?: (events: number) => void;
}

export interface Run {
  readonly figures: Figures;
  /** Of the first world in which something is wrong: the run ends there. */
  readonly violations: readonly Violation[];
  readonly world: number;
}

const EVENTS_PER_WORLD = 500;

/** Runs world after world until something is wrong in one. A world depends on the seed, its number and its size only. */
export async function run({ events, seed, world: only, onProgress }: RunOptions): Promise<Run> {
  const count = counter();
  for (let world = 0; world * EVENTS_PER_WORLD < events; world++) {
    if (only !== undefined && world !== only) continue;
    const size = Math.min(EVENTS_PER_WORLD, events - world * EVENTS_PER_WORLD);
    const history = await runWorld(size, seed, world).catch((cause: unknown) => {
      throw new Error(`To replay this: ${replay({ events, seed, world })}`, { cause });
    });
    count.add(history);
    const found = violations(history);
    if (found.length > 0) return { figures: count.figures(), violations: found, world };
    onProgress?.(count.figures().events);
  }
  return { figures: count.figures(), violations: [], world: -1 };
}
