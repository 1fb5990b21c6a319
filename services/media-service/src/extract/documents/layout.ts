/** A piece of text on a page. The y axis points upwards. */
export interface Word {
  readonly x: number
  readonly right: number
  readonly y: number
  readonly height: number
  readonly text: string
}

/** Gaps, relative to the text height. */
const SAME_LINE = 0.5
const SAME_CELL = 0.9
const SPACE = 0.15
const MIN_ROWS = 3
const MIN_COLUMNS = 3
const MAX_COLUMN_DIFFERENCE = 2

/** Groups words into lines from top to bottom, and joins adjacent words of a line. */
export function linesOf(words: readonly Word[]): Word[][] {
  const sorted = words.filter(({ text }) => text.trim() !== '').sort((a, b) => b.y - a.y || a.x - b.x)
  const lines: Word[][] = []
  for (const word of sorted) {
    const line = lines.at(-1)
    if (line && Math.abs(line[0]!.y - word.y) < SAME_LINE * word.height) line.push(word)
    else lines.push([word])
  }
  return lines.map(joinCells)
}

function joinCells(line: readonly Word[]): Word[] {
  const cells: Word[] = []
  for (const word of [...line].sort((a, b) => a.x - b.x)) {
    const last = cells.at(-1)
    const gap = last ? word.x - last.right : Number.POSITIVE_INFINITY
    if (!last || gap >= SAME_CELL * word.height) {
      cells.push({ ...word, text: word.text.trim() })
      continue
    }
    const space = gap > SPACE * word.height ? ' ' : ''
    cells[cells.length - 1] = { ...last, right: word.right, text: last.text + space + word.text.trim() }
  }
  return cells
}

export function textOf(lines: readonly (readonly Word[])[]): string {
  return lines.map((line) => line.map(({ text }) => text).join(' ')).join('\n')
}

/** Finds runs of lines with cells in the same columns; works without ruling lines. */
export function tablesOf(lines: readonly (readonly Word[])[]): string[][][] {
  const tables: string[][][] = []
  let run: (readonly Word[])[] = []
  const end = () => {
    if (run.length >= MIN_ROWS) tables.push(gridOf(run))
    run = []
  }
  for (const line of lines) {
    const isRow = line.length >= MIN_COLUMNS
    if (!isRow || (run[0] && Math.abs(line.length - run[0].length) > MAX_COLUMN_DIFFERENCE)) end()
    if (isRow) run.push(line)
  }
  end()
  return tables
}

/** Returns a grid whose columns are separated by gaps in the x-axis projection of all cells. */
function gridOf(run: readonly (readonly Word[])[]): string[][] {
  const spans = run
    .flatMap((line) => line.map(({ x, right }) => [x, right] as const))
    .sort((a, b) => a[0] - b[0])
  const columns: { from: number; to: number }[] = []
  for (const [from, to] of spans) {
    const last = columns.at(-1)
    if (last && from < last.to + 1) last.to = Math.max(last.to, to)
    else columns.push({ from, to })
  }
  return run.map((line) =>
    columns.map(({ from, to }) =>
      line
        .filter(({ x, right }) => x < to && right > from)
        .map(({ text }) => text)
        .join(' '),
    ),
  )
}
