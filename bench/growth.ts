/** 5. Growth with the events in flight, with all events so far, and with the backups to search. All through `invoke`. */
import { figure, figures } from './harness/figures.ts';
import { alternating, bundlePath, environment, inNewProcess, server } from './harness/processes.ts';
import type { Item } from './harness/report.ts';

const BUNDLE = bundlePath('invoke.mjs');
const collectable = ['--expose-gc'];

export interface ConcurrencyOptions {
  readonly inFlight: readonly number[];
  readonly events: number;
  readonly rounds: number;
}

export async function concurrency({ inFlight, events, rounds }: ConcurrencyOptions): Promise<Item> {
  await using upstream = await server('do-nothing-server');
  const options = { env: environment(upstream.url), flags: collectable };
  const samples = await alternating(inFlight.map(String), rounds, (count) =>
    inNewProcess<Record<'eventsPerSecond' | 'peakMegabytes' | 'heapMegabytes', number>>(
      'concurrent',
      [BUNDLE, count, String(events)],
      options,
    ),
  );
  return {
    title: 'Growth: concurrent invocations in one process',
    notes: [
      `${events} events through invoke; median of ${rounds} new processes (the middle half of them).`,
      'peak: resident memory. heap: used after a forced collection. Lambda itself gives a process one event at a time.',
    ],
    rows: inFlight.map((count) => {
      const found = figures(samples[String(count)] ?? []);
      return {
        name: `${count} in flight`,
        'events per second': found.eventsPerSecond,
        'peak, MB': found.peakMegabytes,
        'heap, MB': found.heapMegabytes,
      };
    }),
  };
}

export interface MemoryOptions {
  readonly events: readonly [few: number, many: number];
  readonly rounds: number;
  readonly atMostGrowth: number;
}

export async function memory({ events: [few, many], rounds, atMostGrowth }: MemoryOptions): Promise<Item> {
  await using upstream = await server('do-nothing-server');
  const options = { env: environment(upstream.url), flags: collectable };
  const { invoke } = await alternating(['invoke'], rounds, () =>
    inNewProcess<{ megabytes: [number, number] }>('heap', [BUNDLE, String(few), String(many)], options),
  );
  return {
    title: 'Growth: heap',
    notes: [`MB used after a forced collection; median of ${rounds} new processes.`],
    rows: [
      { name: `after ${few} events`, 'heap, MB': figure(invoke.map(({ megabytes: [early] }) => early)) },
      { name: `after ${many} events`, 'heap, MB': figure(invoke.map(({ megabytes: [, late] }) => late)) },
    ],
    targets: [
      {
        name: `growth from ${few} to ${many} events`,
        value: 100 * (figure(invoke.map(({ megabytes: [early, late] }) => late / early)).median - 1),
        unit: ' %',
        atMost: 100 * atMostGrowth,
        advice: 'Something is kept from event to event: find it with a heap snapshot.',
      },
    ],
  };
}

export interface ReplayOptions {
  readonly lists: readonly { readonly backups: number; readonly inWindow: number }[];
  readonly rounds: number;
}

export async function replay({ lists, rounds }: ReplayOptions): Promise<Item> {
  const id = 'bench-replay';
  const rows = [];
  for (const { backups, inWindow } of lists) {
    const time = new Date(Date.now() - 21 * 3_600_000).toISOString();
    await using emulator = await server('emulator', [String(backups), String(inWindow), id, time]);
    const { invoke } = await alternating(['invoke'], rounds, () =>
      inNewProcess<Record<'millis' | 'ownCpuMillis' | 'requests', number>>('replay', [BUNDLE, id, time], {
        env: environment(emulator.url),
      }),
    );
    const found = figures(invoke);
    rows.push({
      name: `${backups} backups, ${inWindow} in the window`,
      requests: found.requests.median,
      'event, ms': found.millis,
      'our CPU, ms': found.ownCpuMillis,
    });
  }
  return {
    title: 'Growth: a replay',
    notes: [
      `A trigger is delivered again: its backup is the last in the list of its instance. Median of ${rounds} new processes, each after one event to warm up.`,
      'The event’s time is mostly the emulator’s, which sorts its whole list for every page.',
    ],
    rows,
  };
}
