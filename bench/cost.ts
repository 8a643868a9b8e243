/** 7. Cost: what Lambda bills for an event, modelled from the figures of this machine. */
import type { ColdStarts } from './cold-start.ts';
import type { ContenderName } from './contenders.ts';
import type { Item } from './harness/report.ts';
import type { WarmEvents } from './warm-event.ts';

export interface CostOptions {
  readonly compared: readonly ContenderName[];
  readonly cold: ColdStarts;
  readonly warm: WarmEvents;
  readonly assumed: Assumptions;
}

export interface Assumptions {
  readonly memoryMegabytes: number;
  /** What DDS takes to answer: not known, and most of the bill. */
  readonly ddsMillis: number;
  /** Between the function and DDS; a first event makes three round trips (TCP, TLS 1.3, request), a later one makes one. */
  readonly roundTripMillis: number;
  /** Dollars, https://aws.amazon.com/lambda/pricing/, arm64. */
  readonly dollarsPerGigabyteSecond: number;
  readonly dollarsPerMillionRequests: number;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MEGABYTES_PER_CPU = 1769;

export function cost({ compared, cold, warm, assumed }: CostOptions): Item {
  const { memoryMegabytes, ddsMillis, roundTripMillis, dollarsPerGigabyteSecond, dollarsPerMillionRequests } = assumed;
  const slowdown = Math.max(1, MEGABYTES_PER_CPU / memoryMegabytes);
  const dollars = (billedMillis: number) =>
    dollarsPerMillionRequests + billedMillis * 1000 * (memoryMegabytes / 1024) * dollarsPerGigabyteSecond;

  const rows = compared.map((name) => {
    const [start, event] = [cold[name], warm[name]];
    if (!start || !event) throw new Error(`${name} was not measured`);
    const init = start.initMillis.median;
    const first = start.eventCpuMillis.median * slowdown + ddsMillis + 3 * roundTripMillis;
    const later = event.cpuMillis.median * slowdown + ddsMillis + roundTripMillis;
    const [billedCold, billedWarm] = [Math.ceil(init + first), Math.ceil(later)];
    return {
      name,
      'cold, billed ms': billedCold,
      'cold, ours': Math.ceil(billedCold - ddsMillis - 3 * roundTripMillis),
      'warm, billed ms': billedWarm,
      'warm, ours': Math.ceil(billedWarm - ddsMillis - roundTripMillis),
      '$ per million cold': dollars(billedCold).toFixed(2),
      '$ per million warm': dollars(billedWarm).toFixed(2),
    };
  });
  return {
    title: 'Cost, modelled',
    notes: [
      `${memoryMegabytes} MB: an event has 1/${slowdown.toFixed(1)} of a processor, its CPU time counts as often; the initialisation has a whole one and is billed too. A processor as fast as this machine’s.`,
      'ours: without DDS and the way to it, which cost every contender the same.',
      `DDS answers in ${ddsMillis} ms; a round trip to it takes ${roundTripMillis} ms, three on a new connection. The processor time of TLS is not in it.`,
      `$${dollarsPerGigabyteSecond} per GB-second, $${dollarsPerMillionRequests} per million requests; no free tier.`,
    ],
    rows,
  };
}
