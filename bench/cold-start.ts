/** 2. Cold start: how long the import alone takes, and how long from the start of the process to the first answer. */
import { type ContenderName, contenders } from './contenders.ts';
import { type Figure, figures } from './harness/figures.ts';
import { alternating, bundlePath, environment, inNewProcess, server } from './harness/processes.ts';
import type { Item, Target } from './harness/report.ts';

export interface ColdStartOptions {
  readonly compared: readonly ContenderName[];
  readonly rounds: number;
  /** Each of `ours` may take so many times as long as the baseline, by the medians. */
  readonly ours: readonly ContenderName[];
  readonly import: Limit;
  readonly answer: Limit;
}

interface Limit {
  readonly baseline: ContenderName;
  readonly atMost: number;
}

const ADVICE = 'Start `node --cpu-prof` on the bundle: what runs at import may run when it is first needed.';

type Measure = 'importMillis' | 'answeredMillis' | 'initMillis' | 'eventMillis' | 'eventCpuMillis';
export type ColdStarts = Readonly<Partial<Record<ContenderName, Readonly<Record<Measure, Figure>>>>>;

export async function coldStart(options: ColdStartOptions): Promise<Item & { found: ColdStarts }> {
  const { compared, rounds, ours } = options;
  await using upstream = await server('do-nothing-server');
  const env = environment(upstream.url);

  const samples = await alternating(compared, rounds, (name) => {
    const { bundle, event, posts } = contenders[name];
    const args = [bundlePath(bundle), event, posts ? 'answers-backup' : ''];
    return inNewProcess<Record<Measure, number>>('cold', args, { env });
  });
  const found = Object.fromEntries(compared.map((name) => [name, figures(samples[name])])) as Required<ColdStarts>;

  const against = (name: ContenderName, measure: Measure, what: string, { baseline, atMost }: Limit): Target => ({
    name: `${name}: ${what} beside ${baseline}`,
    value: found[name][measure].median / found[baseline][measure].median,
    unit: ' ×',
    atMost,
    advice: ADVICE,
  });
  return {
    title: 'Cold start',
    notes: [
      `Milliseconds: median of ${rounds} new processes (the middle half of them), alternating.`,
      'first answer: from the start of the process (performance.timeOrigin) to the answer of a server on loopback that does nothing, over http.',
    ],
    rows: compared.map((name) => ({
      name,
      'import, ms': found[name].importMillis,
      'first answer, ms': found[name].answeredMillis,
      'of which the event, ms': found[name].eventMillis,
      'its CPU, ms': found[name].eventCpuMillis,
    })),
    targets: ours.flatMap((name) => [
      against(name, 'importMillis', 'import', options.import),
      against(name, 'answeredMillis', 'first answer', options.answer),
    ]),
    found,
  };
}
