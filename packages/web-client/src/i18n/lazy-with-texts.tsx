import { NetworkFailure } from '@bigtech/client'
import { type ComponentType, lazy, useEffect } from 'react'
import { Failed } from '../ui/failed.tsx'
import { needTexts, type Part } from './index.ts'

/** Returns a component that is loaded on first use together with the texts of its part. */
export function lazyWithTexts<Props>(part: Part, load: () => Promise<{ default: ComponentType<Props> }>) {
  return lazyOrFailed(async () => {
    const [loaded] = await Promise.all([load(), needTexts(part)])
    return loaded
  })
}

/** Returns a component that is loaded on first use; explains a failure to load it. */
export function lazyOrFailed<Props>(load: () => Promise<{ default: ComponentType<Props> }>) {
  return lazy(() => load().catch((err: unknown) => ({ default: () => <NotLoaded cause={err} /> })))
}

const reload = () => location.reload()

/** A browser does not repeat a failed import: only a reload does. */
function NotLoaded({ cause }: { cause: unknown }) {
  useEffect(() => {
    addEventListener('online', reload)
    return () => removeEventListener('online', reload)
  }, [])
  return <Failed error={new NetworkFailure(cause)} onRetry={reload} />
}
