/**
 * Preloaded by every process: `node --import @bigtech/service-kit/tracing src/server.ts`.
 * It has to run before the libraries that it instruments are loaded, hence no import in
 * server.ts. Without a collector configured nothing is loaded and nothing costs anything.
 */
const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT
if (endpoint) {
  const { startTracing } = await import('./tracing-sdk.ts')
  startTracing()
}
