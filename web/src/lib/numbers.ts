const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1.4 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const grouped = new Intl.NumberFormat('en');

/** `1,000,000`. */
export function formatCount(count: number): string {
  return grouped.format(count);
}

/** `97 %`; a rate below one never reads as everything. */
export function formatPercent(part: number, whole: number): string {
  const percent = (part / whole) * 100;
  return `${percent > 99 && part < whole ? 99 : Math.round(percent)} %`;
}
