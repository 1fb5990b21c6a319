import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'

const docs = join(import.meta.dirname, '..')
/** What pages link to beside docs/. */
const outside = [
  'packages',
  'services',
  'infrastructure',
  'tests',
  'k8s',
  'scripts',
  'README',
  'CHANGELOG',
  'LICENSE',
]

interface Token {
  attrGet(name: string): string | null
  attrSet(name: string, value: string): void
}
interface Markdown {
  renderer: { rules: Record<string, unknown> }
}

/** What is linked outside of docs/ is a file of the repository; REPOSITORY_URL says where people read that. */
function linkToRepository(md: Markdown): void {
  const repository = process.env.REPOSITORY_URL
  const render = md.renderer.rules.link_open as (...args: unknown[]) => string
  md.renderer.rules.link_open = (tokens: Token[], index: number, ...rest: unknown[]) => {
    const target = tokens[index]?.attrGet('href') ?? ''
    const path = target.replace(/^(?:\.\.\/)+/, '')
    const leadsOutside = path !== target && outside.some((name) => path.startsWith(name))
    if (repository && leadsOutside) tokens[index]?.attrSet('href', `${repository}/blob/main/${path}`)
    return render(tokens, index, ...rest)
  }
}

/** The pages of a folder by their first heading, its README first. */
function pagesOf(folder: string): { text: string; link: string }[] {
  const names = readdirSync(join(docs, folder)).filter((name) => name.endsWith('.md') && name !== 'index.md')
  const order = (name: string) => (name === 'README.md' ? '' : name)
  return names
    .sort((a, b) => order(a).localeCompare(order(b)))
    .map((name) => {
      const text = /^# (.+)$/m.exec(readFileSync(join(docs, folder, name), 'utf8'))?.[1] ?? name
      return { text, link: `/${join(folder, name.replace(/\.md$/, ''))}` }
    })
}

const section = (text: string, folder: string) => ({ text, collapsed: true, items: pagesOf(folder) })

export default defineConfig({
  title: 'BigTech Chat',
  description: 'The backend of a KakaoTalk/LINE-like messenger.',
  cleanUrls: true,
  // Links to code lead into the repository; `npm run lint` checks those, headings included.
  ignoreDeadLinks: [(link) => outside.some((name) => link.includes(`../${name}`)), /^https?:\/\/localhost/],
  markdown: { config: (md) => md.use(linkToRepository) },
  vite: { build: { chunkSizeWarningLimit: 2_000 } },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Quick start', link: '/QUICK_START' },
      { text: 'API', link: '/api/README' },
      { text: 'Architecture', link: '/architecture/README' },
    ],
    sidebar: [
      { text: 'Start', items: pagesOf('.') },
      section('Architecture', 'architecture'),
      section('API', 'api'),
      { text: 'SDK reference', link: '/api/sdk/README' },
      section('Kafka', 'kafka'),
      section('Operation', 'deployment'),
      section('Observability', 'observability'),
      section('Optimization', 'optimization'),
      section('Decisions', 'adr'),
      section('한국어', 'ko'),
    ],
  },
})
