/** The rules of the layout (docs/architecture/README.md). A seeded violation proves that they can fail. */
const stores = 'node_modules/(fastify|@prisma|mongoose|mongodb|ioredis|mariadb|kafkajs)(/|$)'

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle means that two files are one concept, or that one concept is missing.',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'services-stay-apart',
      comment: 'A service speaks to another by REST or events, never by import.',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/([^/]+)/', pathNot: '^services/$1/' },
    },
    {
      name: 'packages-know-no-service',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^services/' },
    },
    {
      name: 'kafka-is-transport-only',
      comment: 'What is stored, and what an outage of a store looks like, is decided above it.',
      severity: 'error',
      from: { path: '^packages/kafka/src/', pathNot: '\\.test\\.ts$' },
      to: {
        path: [
          '^packages/(stores|outbox|service-kit)/',
          'node_modules/(mariadb|mongoose|ioredis|@prisma)(/|$)',
        ],
      },
    },
    {
      name: 'stores-know-no-messaging',
      severity: 'error',
      from: { path: '^packages/stores/src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/(kafka|outbox|service-kit)/' },
    },
    {
      name: 'outbox-knows-no-service-kit',
      severity: 'error',
      from: { path: '^packages/outbox/src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/service-kit/' },
    },
    {
      name: 'service-kit-knows-no-models',
      comment: 'Prisma clients and Mongoose schemas belong to one service each.',
      severity: 'error',
      from: { path: '^packages/service-kit/src/' },
      to: { path: ['node_modules/(@prisma|mongoose)(/|$)', '/generated/'] },
    },
    {
      name: 'wiring-knows-no-driver',
      comment: 'app.ts opens stores through infrastructure/ and service-kit.',
      severity: 'error',
      from: { path: '^services/[^/]+/src/app\\.ts$' },
      to: { path: [stores, '/generated/'] },
    },
    {
      name: 'one-kafka-client',
      comment: 'Its traps are handled in one place.',
      severity: 'error',
      from: { pathNot: '^packages/kafka/src/driver/' },
      to: { path: 'node_modules/(kafkajs|@platformatic/kafka)(/|$)' },
    },
    {
      name: 'contracts-are-zod-only',
      severity: 'error',
      from: { path: '^packages/contracts/src/', pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules/', pathNot: 'node_modules/zod/' },
    },
    {
      name: 'use-cases-know-no-framework',
      comment: 'Routes, stores and brokers are behind interfaces; a use case is plain TypeScript.',
      severity: 'error',
      from: { path: '^services/[^/]+/src/modules/.+\\.service\\.ts$' },
      to: { path: [stores, '/generated/'] },
    },
    {
      name: 'repositories-stay-in-their-module',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/modules/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^services/[^/]+/src/modules/[^/]+/.*repository\\.ts$',
        pathNot: '^services/$1/src/modules/$2/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'generated-client-only-in-repositories',
      comment: "Prisma's types never leave the repositories and the plugin that opens the store.",
      severity: 'error',
      from: {
        path: '^services/[^/]+/src/modules/',
        pathNot: ['repository\\.ts$', '\\.test\\.ts$', 'prisma-[^/]+\\.ts$'],
      },
      to: { path: '^services/[^/]+/src/generated/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'mongodb-only-in-repositories',
      comment: 'A module opens the store for its repositories; queries are written nowhere else.',
      severity: 'error',
      from: {
        path: '^services/chat-service/src/modules/',
        pathNot: [
          'repository\\.ts$',
          '\\.test\\.ts$',
          '/(messages|search)\\.module\\.ts$',
          '/log/(documents|models)\\.ts$',
        ],
      },
      to: { path: ['/infrastructure/mongo[^/]*\\.ts$', 'node_modules/(mongoose|mongodb)(/|$)'] },
    },
    ...[
      ['contacts', 'membership|messages|rooms|stream'],
      ['membership', 'messages|rooms|stream'],
      ['messages', 'rooms|stream'],
      ['rooms', 'stream'],
      ['stream', 'rooms'],
    ].map(([module, others]) => ({
      name: `chat-${module}-wall`,
      comment: 'contacts <- membership <- messages <- rooms, stream: an arrow is what may be imported.',
      severity: 'error',
      from: { path: `^services/chat-service/src/modules/${module}/`, pathNot: '\\.test\\.ts$' },
      to: { path: `^services/chat-service/src/modules/(${others})/` },
    })),
    {
      name: 'tests-are-not-imported',
      severity: 'error',
      from: { pathNot: ['\\.test\\.ts$', '^tests/'] },
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'test-helpers-stay-out-of-production',
      comment: 'What only tests use is neither shipped nor loaded.',
      severity: 'error',
      from: {
        path: '^(services|packages)/.*/src/',
        pathNot: ['\\.test\\.ts$', '^packages/dev/'],
      },
      to: { path: '^(services|packages)/.*/testing[/.-]', pathNot: 'node_modules' },
    },
    {
      name: 'test-helpers-stay-out-of-src',
      comment: 'Helpers of tests live in testing/ beside src/.',
      severity: 'error',
      from: {},
      to: {
        path: [
          '^(services|packages)/[^/]+/src/testing[/.-]',
          '^(services|packages)/[^/]+/src/.+/testing[/.-]',
        ],
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { pathNot: '^packages/web-client/' },
      to: { couldNotResolve: true, pathNot: ['^bun:', '^\\$'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'generated', '/dist/'] },
    exclude: { path: ['/dist/', '\\.devstack'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
}
