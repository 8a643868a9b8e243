/** 4. The signer beside the official one, and beside the hashes that the algorithm cannot avoid. */
import { figures } from './harness/figures.ts';
import { alternating, inNewProcess } from './harness/processes.ts';
import type { Item } from './harness/report.ts';

export interface SignerOptions {
  readonly rounds: number;
  /** Of each process, after as long a warm-up. */
  readonly millis: number;
  /** So many times as long as the hashes. */
  readonly atMostHashes: number;
  /** So many times as fast as the official signer. */
  readonly atLeastOfficial: number;
}

const NAMES = ['ours', 'ours-from-object', 'official', 'hashes'] as const;

export async function signer({ rounds, millis, atMostHashes, atLeastOfficial }: SignerOptions): Promise<Item> {
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
    targets: [
      {
        name: 'ours beside the three hashes',
        value: ops('hashes').median / ops('ours').median,
        unit: ' ×',
        atMost: atMostHashes,
      },
      {
        name: 'faster than the official one, from an object',
        value: ops('ours-from-object').median / ops('official').median,
        unit: ' ×',
        atLeast: atLeastOfficial,
      },
    ],
  };
}
