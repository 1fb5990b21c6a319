/** A process of the local stack. */
interface StackProcess {
  readonly name: string
  readonly state: string
}

/** @returns null when there is no local stack behind the gateway */
export async function listProcesses(): Promise<StackProcess[] | null> {
  const response = await fetch('/stack/processes', { headers: { accept: 'application/json' } })
  if (!response.ok || !response.headers.get('content-type')?.includes('json')) return null
  return ((await response.json()) as { items: StackProcess[] }).items
}

export async function controlStack(name: string, action: string): Promise<void> {
  const response = await fetch(`/stack/processes/${encodeURIComponent(name)}/${action}`, { method: 'POST' })
  if (!response.ok) throw new Error(`${action} ${name}: ${response.status}`)
}
