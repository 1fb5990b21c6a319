/** A number in a badge; nothing for zero. The label names the counted items. */
export function CountBadge({
  count,
  label,
  isQuiet = false,
}: {
  count: number
  label: string
  isQuiet?: boolean
}) {
  if (count <= 0) return null
  return (
    <span className={isQuiet ? 'badge quiet' : 'badge'}>
      <span aria-hidden="true">{count > 999 ? '999+' : count}</span>
      <span className="visually-hidden">{label}</span>
    </span>
  )
}
