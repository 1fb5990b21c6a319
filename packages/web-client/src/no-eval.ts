import { config } from 'zod'

// Imported before anything that makes a schema: zod would try then whether it may compile code, which the
// policy of the page forbids, and the console would say so.
config({ jitless: true })
