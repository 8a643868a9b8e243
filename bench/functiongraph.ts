/** Cold start on FunctionGraph: how long its runtime takes to load a bundle, on its Node where that is installed. */
import { FUNCTIONS, startFunction } from '../scripts/local/functiongraph-runtime.ts';
import { figures } from './harness/figures.ts';
import { alternating } from './harness/processes.ts';
import type { Item } from './harness/report.ts';

export async function functionGraph({ rounds }: { readonly rounds: number }): Promise<Item> {
  let version = '';
  const samples = await alternating(FUNCTIONS, rounds, async (name) => {
    await using started = await startFunction(name, { userData: {}, keys: undefined, projectId: '' });
    version = started.node;
    return { importMillis: started.importMillis };
  });
  return {
    title: 'Cold start on FunctionGraph',
    notes: [`Milliseconds of \`require\` on Node ${version}: median of ${rounds} new processes, alternating.`],
    rows: FUNCTIONS.map((name) => ({ name, 'import, ms': figures(samples[name]).importMillis })),
  };
}
