/** 3. Warm event: one after the other in a process that is warm. */
import { type ContenderName, contenders } from './contenders.ts';
import { type Figure, figures } from './harness/figures.ts';
import { alternating, bundlePath, environment, inNewProcess, server } from './harness/processes.ts';
import type { Item } from './harness/report.ts';

export interface WarmEventOptions {
  readonly compared: readonly ContenderName[];
  readonly rounds: number;
  /** Of each process, after as long a warm-up. */
  readonly millis: number;
  readonly ours: readonly ContenderName[];
  readonly baseline: ContenderName;
  /** So many times the baseline's p50. */
  readonly atMost: number;
}

type Measure = 'p50Micros' | 'p99Micros' | 'cpuMillis';
export type WarmEvents = Readonly<Partial<Record<ContenderName, Readonly<Record<Measure, Figure>>>>>;

export async function warmEvent(options: WarmEventOptions): Promise<Item & { found: WarmEvents }> {
  const { compared, rounds, millis, ours, baseline, atMost } = options;
  await using upstream = await server('do-nothing-server');
  const env = environment(upstream.url);

  const samples = await alternating(compared, rounds, (name) => {
    const { bundle, event } = contenders[name];
    return inNewProcess<Record<Measure, number>>('warm', [bundlePath(bundle), event, String(millis)], { env });
  });
  const found = Object.fromEntries(compared.map((name) => [name, figures(samples[name])])) as Required<WarmEvents>;

  return {
    title: 'Warm event',
    notes: [
      `Microseconds of one event: median of ${rounds} new processes (the middle half of them), alternating; each ${millis / 1000} s after as long a warm-up, against a server on loopback that does nothing.`,
      'Ours and (c) log each event: the line is made and written, to /dev/null. The bare POST does not log.',
    ],
    rows: compared.map((name) => ({
      name,
      'p50, µs': found[name].p50Micros,
      'p99, µs': found[name].p99Micros,
      'CPU, ms': found[name].cpuMillis,
    })),
    targets: ours.map((name) => ({
      name: `${name}: p50 beside ${baseline}`,
      value: found[name].p50Micros.median / found[baseline].p50Micros.median,
      unit: ' ×',
      atMost,
      advice: 'See what a new step of every event costs, and whether it can be done once per process.',
    })),
    found,
  };
}
