/** The part of V8's .cpuprofile that a flame graph needs. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
    readonly children?: readonly number[]
  }[]
  /** Node ids, one for each sample. */
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

type Origin = 'ours' | 'library' | 'node' | 'native'

interface Frame {
  readonly name: string
  readonly origin: Origin
  us: number
  readonly children: Map<string, Frame>
}

/** Samples without work on this thread. */
const NOT_BUSY = new Set(['(idle)', '(program)'])
const WIDTH = 1_200
const HEIGHT = 15
const HEADER = 48
/** Narrower frames have no room for text, and would make most of the file. */
const MIN_WIDTH = 3
const CHARACTER = 6
const COLORS: Readonly<Record<Origin, string>> = {
  ours: '#f6a04d',
  library: '#f2d16b',
  node: '#a9c7e8',
  native: '#c9c9c9',
}
const LABELS: Readonly<Record<Origin, string>> = {
  ours: 'services and packages',
  library: 'libraries',
  node: 'node',
  native: 'V8, garbage collection',
}

/**
 * Returns a flame graph as SVG: the widths are shares of the time in which the thread was busy.
 *
 * @param since omits samples before the first stack with this function, such as those of the start
 * @throws Error when no sample remains
 */
export function flameGraph(profile: CpuProfile, title: string, since?: string): string {
  const root = stacks(profile, since)
  if (root.us === 0) throw new Error(`${title}: the profile has no samples${since ? ` after ${since}` : ''}.`)
  const rects: string[] = []
  const depth = draw(root, { x: 0, level: 0, scale: WIDTH / root.us, totalUs: root.us }, rects)
  const height = HEADER + (depth + 1) * HEIGHT
  const legend = (Object.keys(COLORS) as Origin[]).map(
    (origin, index) =>
      `<rect x="${8 + index * 180}" y="28" width="10" height="10" fill="${COLORS[origin]}"/><text x="${22 + index * 180}" y="37">${LABELS[origin]}</text>`,
  )
  const caption = `${escapeXml(title)}: ${(root.us / 1e6).toFixed(1)} s of CPU`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">
<title>${caption}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="17" font-size="13">${caption}</text>
${legend.join('\n')}
${rects.join('\n')}
</svg>
`
}

/** Merges the samples of equal stacks, outermost function first. */
function stacks({ nodes, samples, timeDeltas }: CpuProfile, since: string | undefined): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  const root: Frame = { name: 'all', origin: 'native', us: 0, children: new Map() }
  let hasBegun = since === undefined
  for (const [index, sample] of samples.entries()) {
    const frames: CpuProfile['nodes'][number]['callFrame'][] = []
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id))
      frames.unshift(byId.get(id)!.callFrame)
    hasBegun ||= frames.some(({ functionName }) => functionName === since)
    if (!hasBegun || NOT_BUSY.has(frames.at(-1)!.functionName)) continue
    const us = Math.max(0, timeDeltas[index] ?? 0)
    root.us += us
    let frame = root
    // The first frame is V8's own root.
    for (const { functionName, url } of frames.slice(1)) {
      const name = `${functionName || '(anonymous)'}${placeOf(url)}`
      const next = frame.children.get(name) ?? { name, origin: originOf(url), us: 0, children: new Map() }
      next.us += us
      frame.children.set(name, next)
      frame = next
    }
  }
  return root
}

/** Adds the rectangles of a frame and its children. Returns the deepest level. */
function draw(
  frame: Frame,
  place: { x: number; level: number; scale: number; totalUs: number },
  rects: string[],
): number {
  const { x, level, scale, totalUs } = place
  const width = frame.us * scale
  if (width < MIN_WIDTH) return level - 1
  const y = HEADER + level * HEIGHT
  const characters = Math.floor((width - 4) / CHARACTER)
  const text =
    characters >= 3
      ? `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escapeXml(frame.name.slice(0, characters))}</text>`
      : ''
  const share = ((frame.us / totalUs) * 100).toFixed(1)
  rects.push(
    `<g><title>${escapeXml(frame.name)}, ${share} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${(width - 0.5).toFixed(1)}" height="${HEIGHT - 1}" fill="${COLORS[frame.origin]}"/>${text}</g>`,
  )
  let deepest = level
  let left = x
  for (const child of [...frame.children.values()].sort((a, b) => b.us - a.us)) {
    deepest = Math.max(deepest, draw(child, { ...place, x: left, level: level + 1 }, rects))
    left += child.us * scale
  }
  return deepest
}

function originOf(url: string): Origin {
  if (url === '') return 'native'
  if (url.startsWith('node:')) return 'node'
  return /\/(services|packages)\/(?!.*node_modules)/.test(url) ? 'ours' : 'library'
}

/** Returns the package or the file of a frame, without the path of the checkout. */
function placeOf(url: string): string {
  if (url === '') return ''
  const library = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  return ` ${library ?? url.replace(/^.*\/(?=(services|packages)\/)/, '')}`
}

const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
