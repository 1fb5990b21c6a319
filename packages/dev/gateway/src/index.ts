export { buildAdmin } from './admin.ts'
export { buildGateway, type Gateway } from './app.ts'
export { configSchema, type GatewayConfig, readConfig } from './config.ts'
export { KongConfigError, loadKongFile, parseKong } from './kong/load.ts'
