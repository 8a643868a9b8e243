/** 6. A run of the monitor in a project with many backups, in the least memory that Lambda offers. */
import { figures } from './harness/figures.ts';
import { alternating, bundlePath, environment, inNewProcess, server } from './harness/processes.ts';
import type { Item } from './harness/report.ts';

const HOUR = 3_600_000;
const ADVICE = 'Look at what is kept of each backup, and at the requests, which come one after the other.';

export interface MonitorOptions {
  /** In ascending order. The targets are for the last. */
  readonly backups: readonly number[];
  readonly rounds: number;
  readonly atMostSeconds: number;
  readonly atMostMegabytes: number;
}

type Found = Record<'importMillis' | 'runMillis' | 'ownCpuMillis' | 'peakMegabytes' | 'backups' | 'published', number>;

export async function monitor({ backups, rounds, atMostSeconds, atMostMegabytes }: MonitorOptions): Promise<Item> {
  // The heap has to leave room for the rest of the process.
  const flags = [
    `--max-old-space-size=${Math.floor(atMostMegabytes * 0.9)}`,
    `--max-semi-space-size=${Math.floor(atMostMegabytes * 0.05)}`,
  ];
  const begin = Date.now() - 21 * HOUR;
  const time = new Date(begin + 10 * HOUR).toISOString();
  await using bus = await server('do-nothing-server', ['bus']);

  const rows = [];
  for (const count of backups) {
    const args = [String(count), String(count), 'bench-monitor', new Date(begin).toISOString()];
    await using emulator = await server('emulator', args);
    const aws = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
    const env = { ...environment(emulator.url), ...aws, AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url, EVENT_BUS: 'bench' };
    const samples = await alternating(['monitor'], rounds, () =>
      inNewProcess<Found>('monitor', [bundlePath('monitor.mjs'), time], { env, flags }),
    );
    for (const { backups } of samples.monitor)
      if (backups < count) throw new Error(`the monitor read ${backups} of ${count} backups`);
    rows.push({ count, found: figures(samples.monitor) });
  }
  const most = rows.at(-1)?.found;
  if (!most) throw new Error('no rows');
  return {
    title: 'Growth: a run of the monitor',
    notes: [
      `The first run of a new process; median of ${rounds} (the middle half of them). Node ${flags.join(' ')}.`,
      'The backups began evenly in 20 hours. Those that ended in the window are published on a bus that takes everything.',
      'peak: resident memory, with Node. CPU: of the whole process.',
      'A part of the run’s time is the emulator’s, which sorts its whole list for every page.',
    ],
    rows: rows.map(({ count, found }) => ({
      name: `${count} backups`,
      published: found.published.median,
      'import, ms': found.importMillis,
      'run, ms': found.runMillis,
      'CPU, ms': found.ownCpuMillis,
      'peak, MB': found.peakMegabytes,
    })),
    targets: [
      {
        name: `a run with ${backups.at(-1)} backups`,
        value: most.runMillis.median / 1000,
        unit: ' s',
        atMost: atMostSeconds,
        advice: ADVICE,
      },
      {
        name: `peak memory of a run with ${backups.at(-1)} backups`,
        value: most.peakMegabytes.median,
        unit: ' MB',
        atMost: atMostMegabytes,
        advice: ADVICE,
      },
    ],
  };
}
