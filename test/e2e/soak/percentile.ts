/**
 * @param values - at least one
 * @param percent - 0 to 100
 * @returns the least of the values that so many percent of them do not exceed
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}
