import { searchMessages } from '@bigtech/client'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { call } from './api.ts'

const TYPED_FOR_MS = 300
/** Maximum number of further requests for one page without results. */
const MAX_STEPS = 10

/** Searches while typing, in one room or in all. */
export function useMessageSearch(text: string, roomId?: number) {
  const q = useSettled(text.trim())
  const search = useInfiniteQuery({
    queryKey: ['search', roomId ?? 'all', q],
    enabled: q !== '',
    staleTime: 5_000,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => findSome(q, roomId, pageParam),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
  return { ...search, q, messages: search.data?.pages.flatMap(({ items }) => items) ?? [] }
}

/** Returns the next non-empty page: a slow search returns partial, possibly empty results. */
async function findSome(q: string, roomId: number | undefined, from: string | undefined) {
  let cursor = from
  for (let step = 1; ; step++) {
    const query = { q, limit: 30, ...(roomId ? { room_id: roomId } : {}), ...(cursor ? { cursor } : {}) }
    const page = await call(searchMessages, { query })
    if (!page.is_partial || page.items.length > 0 || page.next_cursor === null || step === MAX_STEPS)
      return page
    cursor = page.next_cursor
  }
}

/** Debounces a value. */
export function useSettled(value: string): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPED_FOR_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
