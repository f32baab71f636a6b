export const bytesPerMebibyte = 1_048_576;

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Not a number for an empty list. */
export const median = (values: readonly number[]): number => percentile(values, 50);

/** The value that `percent` of all values are not above. Not a number for an empty list. */
export const percentile = (values: readonly number[] | Float64Array, percent: number): number => {
  const sorted = Float64Array.from(values).sort();
  const place = Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100));
  return sorted[place] ?? Number.NaN;
};

/** With so many digits after the point. */
export const rounded = (value: number, digits = 0): number => Number(value.toFixed(digits));

export type Spread = { readonly p50: number; readonly p99: number; readonly max: number };

/** With two digits after the point. Not numbers for an empty list. */
export const spreadOf = (values: readonly number[]): Spread => ({
  p50: rounded(percentile(values, 50), 2),
  p99: rounded(percentile(values, 99), 2),
  max: rounded(percentile(values, 100), 2),
});
