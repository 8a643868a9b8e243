import { type ContenderName, contenders } from './contenders.ts';
import { bundlePath, environment, inNewProcess, server } from './harness/processes.ts';

/** Runs each contender against the emulator, which verifies signatures. Throws for the first that makes no backup. */
export async function checkAll(names: readonly ContenderName[]): Promise<void> {
  for (const name of names) {
    const { bundle, event, posts } = contenders[name];
    await using emulator = await server('emulator', ['0', '0', 'check', new Date().toISOString()]);
    const args = [bundlePath(bundle), event, posts ? 'answers-backup' : ''];
    await inNewProcess('cold', args, { env: environment(emulator.url) });
  }
}
