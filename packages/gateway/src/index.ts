export { buildAdmin } from './admin.ts'
export { buildGateway, type Gateway } from './app.ts'
export { type GatewayConfig, configSchema, readConfig } from './config.ts'
export { KongConfigError, loadKongFile, parseKong } from './kong/load.ts'
