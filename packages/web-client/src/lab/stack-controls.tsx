import { useQuery } from '@tanstack/react-query'
import { useT } from '../i18n/index.ts'
import { attempt } from '../ui/notices.tsx'
import { controlStack, listProcesses } from './stack.ts'

/** Processes that can be stopped from here. */
const targets = [
  { name: 'chat-service', down: 'kill' },
  { name: 'user-service', down: 'kill' },
  { name: 'friend-service', down: 'kill' },
  { name: 'redis', down: 'stop' },
  { name: 'kafka', down: 'stop' },
] as const

/** Stops and starts parts of the local stack. Renders nothing elsewhere. */
export function StackControls() {
  const t = useT()
  const { data, refetch } = useQuery({
    queryKey: ['stack'],
    queryFn: listProcesses,
    refetchInterval: (query) => (query.state.data ? 2_000 : false),
    retry: false,
  })
  if (!data) return null
  const act = (name: string, action: 'start' | 'stop' | 'kill') =>
    void attempt(async () => {
      await controlStack(name, action)
      await refetch()
    })
  return (
    <section className="lab-box">
      <h3>{t('lab.stack')}</h3>
      <ul className="lab-processes">
        {targets.map(({ name, down }) => {
          const isUp = data.find((process) => process.name === name)?.state === 'ready'
          return (
            <li key={name}>
              <span className="lab-light" data-state={isUp ? 'open' : 'waiting'} aria-hidden="true" />
              <span>{name}</span>
              <button type="button" onClick={() => act(name, isUp ? down : 'start')}>
                {t(isUp ? `lab.${down}` : 'lab.start', { name })}
              </button>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
