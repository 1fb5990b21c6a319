import { dim, green, red, yellow } from './logs.ts'

export type Say = (text: string) => void

const SAY_EVERY_MS = 1500

/** Runs a step and shows what it does: its start, what it says meanwhile (not too often), its end with the time. */
export async function step<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
  const began = Date.now()
  let lastSaid = 0
  const say: Say = (text) => {
    const now = Date.now()
    if (now - lastSaid < SAY_EVERY_MS) return
    lastSaid = now
    console.log(`  ${dim('·')} ${title}: ${dim(text)}`)
  }
  try {
    const result = await work(say)
    console.log(`  ${green('✓')} ${title} ${dim(seconds(began))}`)
    return result
  } catch (error) {
    console.log(`  ${red('✗')} ${title} ${dim(seconds(began))}`)
    throw error
  }
}

export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`
}

export function notice(text: string): void {
  console.log(`  ${yellow('!')} ${text}`)
}
