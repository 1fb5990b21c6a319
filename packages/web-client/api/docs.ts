import 'swagger-ui-dist/swagger-ui.css'
// Not bundled: the build treats calls of some function names as pure, and the minified page uses those names.
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js?url'

declare const SwaggerUIBundle: (options: Record<string, unknown>) => unknown

/** The page at /api/docs: an interactive reference of all gateway operations. */
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
