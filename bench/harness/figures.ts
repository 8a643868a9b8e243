/** The median of repeated measurements, and the values between which the middle half of them lies. */
export interface Figure {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly samples: number;
}

export function figure(samples: readonly number[]): Figure {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lower: quantile(sorted, 0.25),
    upper: quantile(sorted, 0.75),
    samples: sorted.length,
  };
}

function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]];
  if (below === undefined || above === undefined) throw new Error('no samples');
  return below + (above - below) * (position - Math.floor(position));
}

/** Each measure of `samples`, such as `[{ millis: 1 }, { millis: 2 }]`, as a figure. */
export function figures<M extends string>(samples: readonly Readonly<Record<M, number>>[]): Record<M, Figure> {
  const measures = Object.keys(samples[0] ?? {}) as M[];
  const entries = measures.map((measure) => [measure, figure(samples.map((sample) => sample[measure]))]);
  return Object.fromEntries(entries);
}

/** Three significant digits, or all before the point. */
export const rounded = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));

/** `12.3 (11.9–13)` */
export const spread = ({ median, lower, upper, samples }: Figure): string =>
  samples === 1 ? rounded(median) : `${rounded(median)} (${rounded(lower)}–${rounded(upper)})`;
