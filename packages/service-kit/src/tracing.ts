/**
 * Preloaded by every process: `node --import @bigtech/service-kit/tracing src/server.ts`, because it must run
 * before the instrumented libraries are loaded. Without a configured collector it loads nothing and costs
 * nothing.
 */
const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT
if (endpoint) {
  const { startTracing } = await import('./tracing-sdk.ts')
  startTracing()
}
