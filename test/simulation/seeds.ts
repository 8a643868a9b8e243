/** The seeds in a range such as `3-20`; `1` without one. */
export function seedsOf(range = '1'): readonly number[] {
  const [from = 1, to = from] = range.split('-').map(Number);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
