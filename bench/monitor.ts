/** 6. A run of the monitor in a project with many backups, in the least memory that Lambda offers. */
import { figures } from './harness/figures.ts';
import { alternating, bundlePath, environment, inNewProcess, server } from './harness/processes.ts';
import type { Item } from './harness/report.ts';

const HOUR = 3_600_000;
const ADVICE = 'Look at what is kept of each backup, and at the requests, which come one after the other.';

export interface MonitorOptions {
  /** In ascending order. The targets are for the last. */
  readonly backups: readonly number[];
  /** In ascending order: beside one recent backup of each of 50 instances. */
  readonly stored?: readonly number[];
  readonly rounds: number;
  readonly atMostSeconds: number;
  readonly atMostMegabytes: number;
}

/** Each has one recent backup where the others are only stored. */
const INSTANCES = 50;
/** What is only stored changes nothing but by chance. */
const MAX_GROWTH_PERCENT = 10;

type Measure = 'importMillis' | 'runMillis' | 'ownCpuMillis' | 'peakMegabytes' | 'requests' | 'backups' | 'published';
type Found = Record<Measure, number>;

export async function monitor({
  backups,
  stored = [1000, 100_000],
  rounds,
  atMostSeconds,
  atMostMegabytes,
}: MonitorOptions): Promise<Item> {
  // The heap has to leave room for the rest of the process.
  const flags = [
    `--max-old-space-size=${Math.floor(atMostMegabytes * 0.9)}`,
    `--max-semi-space-size=${Math.floor(atMostMegabytes * 0.05)}`,
  ];
  const begin = Date.now() - 21 * HOUR;
  const time = new Date(begin + 20 * HOUR).toISOString();
  await using bus = await server('do-nothing-server', ['bus']);

  const measure = async (total: number, recent: number, fleet: readonly string[]) => {
    const args = [String(total), String(recent), 'bench-monitor', new Date(begin).toISOString(), ...fleet];
    await using emulator = await server('emulator', args);
    const aws = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
    const env = { ...environment(emulator.url), ...aws, AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url, EVENT_BUS: 'bench' };
    const samples = await alternating(['monitor'], rounds, () =>
      inNewProcess<Found>('monitor', [bundlePath('monitor.mjs'), time], { env, flags }),
    );
    for (const found of samples.monitor)
      if (found.backups < recent) throw new Error(`the monitor read ${found.backups} of ${recent} backups`);
    return figures(samples.monitor);
  };

  const rows = [];
  for (const count of backups) rows.push({ name: `${count} recent`, found: await measure(count, count, []) });
  const storedRows = [];
  for (const count of stored)
    storedRows.push({
      name: `${count} stored, ${INSTANCES} of them recent`,
      found: await measure(count, INSTANCES, [String(INSTANCES)]),
    });
  const most = rows.at(-1)?.found;
  const [few, many] = [storedRows[0]?.found, storedRows.at(-1)?.found];
  if (!most || !few || !many) throw new Error('no rows');
  const growth = (measure: 'requests' | 'peakMegabytes') => 100 * (many[measure].median / few[measure].median - 1);
  return {
    title: 'Growth: a run of the monitor',
    notes: [
      `The first run of a new process; median of ${rounds} (the middle half of them). Node ${flags.join(' ')}.`,
      'Recent backups began evenly in 20 hours. Those that ended in the window are published on a bus that takes everything.',
      'peak: resident memory, with Node. CPU: of the whole process.',
    ],
    rows: [...rows, ...storedRows].map(({ name, found }) => ({
      name,
      requests: found.requests.median,
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
      {
        name: `requests, from ${stored[0]} to ${stored.at(-1)} stored backups`,
        value: growth('requests'),
        unit: ' %',
        atMost: 0,
        advice: ADVICE,
      },
      {
        name: `peak memory, from ${stored[0]} to ${stored.at(-1)} stored backups`,
        value: growth('peakMegabytes'),
        unit: ' %',
        atMost: MAX_GROWTH_PERCENT,
        advice: ADVICE,
      },
    ],
  };
}
