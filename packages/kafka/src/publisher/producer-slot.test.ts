import { describe, expect, it } from 'vitest'
import type { KafkaDriver, ProducerPort } from '../driver/port.ts'
import { KafkaUnavailable } from '../errors.ts'
import { ProducerSlot } from './producer-slot.ts'

/** Producers numbered in the order they were opened; `behaviour` decides what each send does. */
function driver(behaviour: (producer: number) => Promise<void>) {
  const sends: number[] = []
  const closed: number[] = []
  let opened = 0
  const openProducer = async (): Promise<ProducerPort> => {
    const own = ++opened
    return {
      send: () => {
        sends.push(own)
        return behaviour(own)
      },
      close: async () => {
        closed.push(own)
      },
    }
  }
  return { driver: { openProducer } as unknown as KafkaDriver, sends, closed }
}

const tick = () => new Promise((resolve) => setImmediate(resolve))

describe('the producer', () => {
  it('is never used again after a failed send: its sequence numbers would let the broker drop the next batch', async () => {
    const fake = driver(async (producer) => {
      if (producer === 1) throw new KafkaUnavailable('away')
    })
    const slot = new ProducerSlot(fake.driver, () => {})
    await expect(slot.send('t', 0, [])).rejects.toThrow('away')
    await slot.send('t', 0, [])
    await tick()
    expect(fake.sends).toEqual([1, 2])
    expect(fake.closed).toEqual([1])
  })

  it('lets other sends finish before it is closed', async () => {
    const gate = Promise.withResolvers<void>()
    let calls = 0
    const fake = driver(() => (++calls === 1 ? gate.promise : Promise.reject(new KafkaUnavailable('away'))))
    const slot = new ProducerSlot(fake.driver, () => {})
    const slow = slot.send('t', 0, [])
    await expect(slot.send('t', 1, [])).rejects.toThrow('away')
    await tick()
    expect(fake.closed).toEqual([])
    gate.resolve()
    await slow
    await tick()
    expect(fake.closed).toEqual([1])
  })
})
