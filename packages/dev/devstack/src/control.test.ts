import { describe, expect, it } from 'vitest'
import { isFromBrowser, parseCommand } from './control.ts'

describe('control requests', () => {
  it('the control server accepts a process, optionally a second copy, and an action', () => {
    expect(parseCommand('POST', '/processes/chat-service%232/start')).toEqual({
      name: 'chat-service#2',
      action: 'start',
      comesBack: false,
    })
    expect(parseCommand('POST', '/processes/kafka/kill?restart=true')).toMatchObject({
      action: 'kill',
      comesBack: true,
    })
  })

  it.each([
    ['GET', '/processes/kafka/stop'],
    ['POST', '/processes/kafka/explode'],
    ['POST', '/processes/kafka'],
    ['POST', '/'],
  ])('rejects %s %s', (method, target) => {
    expect(parseCommand(method, target)).toBeUndefined()
  })

  it('the control server rejects web pages under any name of this machine', () => {
    expect(isFromBrowser({ headers: { host: '127.0.0.1:11081' } })).toBe(false)
    expect(isFromBrowser({ headers: { host: '127.0.0.1:11081', origin: 'http://evil.example' } })).toBe(true)
    expect(isFromBrowser({ headers: { host: 'rebound.example:11081' } })).toBe(true)
    expect(isFromBrowser({ headers: { host: 'localhost:11081', 'sec-fetch-site': 'cross-site' } })).toBe(true)
  })
})
