import { describe, expect, it } from 'vitest'
import type { KafkaDriver, ProducerPort } from '../driver/port.ts'
import { KafkaUnavailable } from '../errors.ts'
import { ProducerSlot } from './producer-slot.ts'

/** Producers numbered in the order of opening; `behaviour` determines the result of each send. */
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

describe('ProducerSlot', () => {
  it('a producer slot never reuses a producer after a failed send, because its sequence numbers would make the broker drop the next batch', async () => {
    const fake = driver(async (producer) => {
      if (producer === 1) throw new KafkaUnavailable('unavailable')
    })
    const slot = new ProducerSlot(fake.driver, () => {})
    await expect(slot.send('t', 0, [])).rejects.toThrow('unavailable')
    await slot.send('t', 0, [])
    await tick()
    expect(fake.sends).toEqual([1, 2])
    expect(fake.closed).toEqual([1])
  })

  it('a producer slot closes a producer only after its other sends have finished', async () => {
    const gate = Promise.withResolvers<void>()
    let calls = 0
    const fake = driver(() =>
      ++calls === 1 ? gate.promise : Promise.reject(new KafkaUnavailable('unavailable')),
    )
    const slot = new ProducerSlot(fake.driver, () => {})
    const slow = slot.send('t', 0, [])
    await expect(slot.send('t', 1, [])).rejects.toThrow('unavailable')
    await tick()
    expect(fake.closed).toEqual([])
    gate.resolve()
    await slow
    await tick()
    expect(fake.closed).toEqual([1])
  })
})
