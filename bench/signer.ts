/** 4. The signer beside the official one, and beside the hashes that the algorithm needs. Figures only, no targets. */
import { figures } from './harness/figures.ts';
import { alternating, inNewProcess } from './harness/processes.ts';
import type { Item } from './harness/report.ts';

export interface SignerOptions {
  readonly rounds: number;
  /** Of each process, after as long a warm-up. */
  readonly millis: number;
}

const NAMES = ['ours', 'ours-from-object', 'official', 'hashes'] as const;

export async function signer({ rounds, millis }: SignerOptions): Promise<Item> {
  const samples = await alternating(NAMES, rounds, (name) =>
    inNewProcess<{ opsPerSecond: number }>('sign', [name, String(millis)]),
  );
  const ops = (name: (typeof NAMES)[number]) => figures(samples[name]).opsPerSecond;
  return {
    title: 'Signer',
    notes: [
      `Median of ${rounds} new processes (the middle half of them), alternating; each ${millis / 1000} s after as long a warm-up.`,
      'The request is the POST that creates a backup. The official signer makes the JSON of the body itself: from an object, so do we.',
      'three hashes: SHA-256 of the body and of the canonical request, HMAC-SHA-256 of the string to sign.',
    ],
    rows: [
      { name: 'ours', 'signatures per second': ops('ours') },
      { name: 'ours, from an object', 'signatures per second': ops('ours-from-object') },
      { name: 'official, from an object', 'signatures per second': ops('official') },
      { name: 'three hashes', 'signatures per second': ops('hashes') },
    ],
  };
}
