import { searchMessages } from '@bigtech/client'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { call } from './api.ts'

const TYPED_FOR_MS = 300

/** Searches while typing, in one room or in all. */
export function useMessageSearch(text: string, roomId?: number) {
  const q = useSettled(text.trim())
  const search = useInfiniteQuery({
    queryKey: ['search', roomId ?? 'all', q],
    enabled: q !== '',
    staleTime: 5_000,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor }) =>
      call(searchMessages, {
        query: { q, limit: 30, ...(roomId ? { room_id: roomId } : {}), ...(cursor ? { cursor } : {}) },
      }),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
  return { ...search, q, messages: search.data?.pages.flatMap(({ items }) => items) ?? [] }
}

/** A value once it has not changed for a moment. */
export function useSettled(value: string): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPED_FOR_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
