import 'swagger-ui-dist/swagger-ui.css'
// Not bundled: this build takes calls of functions with some names for pure, and the minified page has those names.
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js?url'

declare const SwaggerUIBundle: (options: Record<string, unknown>) => unknown

/** The page at /api/docs: every operation of the gateway, to read and to try. */
const script = document.createElement('script')
script.src = bundle
script.onload = () =>
  SwaggerUIBundle({
    domNode: document.getElementById('api'),
    url: '/api/openapi.json',
    deepLinking: true,
    persistAuthorization: true,
    displayRequestDuration: true,
    filter: true,
    docExpansion: 'none',
  })
document.head.append(script)
