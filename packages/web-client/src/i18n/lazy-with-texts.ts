import { type ComponentType, lazy } from 'react'
import { needTexts, type Part } from './index.ts'

/** Returns a component that is loaded on first use together with the texts of its part. */
export function lazyWithTexts<Props>(part: Part, load: () => Promise<{ default: ComponentType<Props> }>) {
  return lazy(async () => {
    const [loaded] = await Promise.all([load(), needTexts(part)])
    return loaded
  })
}
