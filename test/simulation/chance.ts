/** Random numbers that are the same for the same seed. */
import { hash } from 'node:crypto';

export interface Chance {
  /** From 0 up to, but not including, 1. */
  next(): number;
  /** From `low` up to, but not including, `high`. */
  between(low: number, high: number): number;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  /** True with this probability. */
  happens(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** One of the values, each as often as its weight says. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T;
}

/** @param seed decides the whole sequence */
export function chance(...seed: readonly (string | number)[]): Chance {
  const digest = Buffer.from(hash('sha256', JSON.stringify(seed)), 'hex');
  const state = Uint32Array.from([0, 4, 8, 12], (offset) => digest.readUInt32LE(offset));

  // sfc32: https://pracrand.sourceforge.net
  const next = (): number => {
    const [a = 0, b = 0, c = 0, counter = 0] = state;
    const sum = (a + b + counter) >>> 0;
    state.set([b ^ (b >>> 9), c + (c << 3), ((c << 21) | (c >>> 11)) + sum, counter + 1]);
    return sum / 2 ** 32;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) next();

  const between = (low: number, high: number): number => low + next() * (high - low);
  const pick = <T>(list: readonly T[]): T => {
    const index = Math.floor(next() * list.length);
    if (index >= list.length) throw new RangeError('There is nothing to pick from.');
    return list[index] as T;
  };
  return {
    next,
    between,
    whole: (low, high) => Math.floor(between(low, high + 1)),
    happens: (probability) => next() < probability,
    pick,
    weighted: (choices) => {
      let left = next() * choices.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of choices) {
        left -= weight;
        if (left < 0) return value;
      }
      return pick(choices)[1];
    },
  };
}
