const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** Formats a size, for example `1.2 MB`. */
export function sizeOf(bytes: number, language: string): string {
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  const unit = units[step] ?? 'byte'
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: 1,
  }).format(bytes / 1_000 ** step)
}
