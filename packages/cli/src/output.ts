/** What a command prints: lines for people, or one JSON document with `--json`. */
export interface Output {
  /** @param json the same for programs; the lines themselves when left out */
  print(lines: readonly string[], json?: unknown): void
}

export function createOutput(write: (text: string) => void, isJson: () => boolean): Output {
  return {
    print: (lines, json = lines) => {
      if (isJson()) write(`${JSON.stringify(json, null, 2)}\n`)
      else write(lines.map((line) => `${line}\n`).join(''))
    },
  }
}

/** The last line of a command that changes something, when it was asked to change nothing. */
export const dryRunNote = 'Nothing was changed; add --apply to do it.'

/** What every command gets. Its return value is the exit code: 0 done or nothing differs, 1 something differs. */
export interface CommandContext {
  readonly output: Output
  /** Notes the exit code of the command that runs. */
  exit(code: 0 | 1): void
}
