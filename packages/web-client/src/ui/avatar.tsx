const COLORS = 8

interface AvatarProps {
  readonly name: string
  /** Determines the color: a user or room id. */
  readonly id: number
  readonly url?: string | null | undefined
  readonly size?: number
  readonly online?: boolean | null | undefined
}

/** A picture, or the first letter of the name. Decorative, because the name is next to it. */
export function Avatar({ name, id, url, size = 44, online }: AvatarProps) {
  const style = { width: size, height: size, fontSize: size * 0.42 }
  return (
    <span className="avatar" style={style} data-color={id % COLORS} aria-hidden="true">
      {url ? <img src={url} alt="" loading="lazy" referrerPolicy="no-referrer" /> : initialOf(name)}
      {online && <span className="online-dot" />}
    </span>
  )
}

function initialOf(name: string): string {
  const [first] = new Intl.Segmenter().segment(name.trim())
  return first?.segment.toUpperCase() ?? '?'
}
