/** Output of a command: text lines, or one JSON document with `--json`. */
export interface Output {
  /** @param json the machine-readable result; defaults to the lines */
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

/** The last line of a dry run. */
export const dryRunNote = 'Dry run: nothing was changed. Pass --apply to perform the change.'

/** The context of a command. Exit code 0: done or no differences, 1: differences found. */
export interface CommandContext {
  readonly output: Output
  /** Sets the exit code of the running command. */
  exit(code: 0 | 1): void
}
