import { expect, it } from 'vitest'
import { type CpuProfile, flameGraph } from './flame-graph.ts'

const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
})

const profile: CpuProfile = {
  nodes: [
    node(1, '(root)', '', [2, 3, 6]),
    node(2, '(idle)', ''),
    node(3, 'onRequest', 'node:_http_server', [4]),
    node(4, 'send', 'file:///somewhere/services/chat-service/src/send.ts', [5]),
    node(5, '<parse>', 'file:///somewhere/node_modules/.pnpm/@a+b@1/node_modules/@a/b/index.js'),
    node(6, 'load', 'file:///somewhere/node_modules/c/index.js'),
  ],
  samples: [6, 6, 2, 4, 5, 5, 5],
  timeDeltas: [500, 500, 9_000, 1_000, 1_000, 1_000, 1_000],
}

it('a flame graph shows each function with its share of the busy time', () => {
  const svg = flameGraph(profile, 'a send')
  expect(svg).toContain('a send: 0.0 s of CPU')
  expect(svg).toContain('<title>send services/chat-service/src/send.ts, 80.0 %</title>')
  expect(svg).toContain('<title>&lt;parse&gt; @a/b, 60.0 %</title>')
  expect(svg).toContain('<title>load c, 20.0 %</title>')
  expect(svg).not.toContain('(idle)')
  expect(svg).not.toContain('somewhere')
})

it('a flame graph omits what ran before the first call of a function', () => {
  const svg = flameGraph(profile, 'a send', 'onRequest')
  expect(svg).toContain('<title>send services/chat-service/src/send.ts, 100.0 %</title>')
  expect(svg).not.toContain('load')
})

it('a flame graph without samples is an error that names the profile', () => {
  expect(() => flameGraph(profile, 'a send', 'never called')).toThrow('a send')
})
