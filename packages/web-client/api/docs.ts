import 'swagger-ui-dist/swagger-ui.css'
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js'

/** The page at /api/docs: every operation of the gateway, to read and to try. */
SwaggerUI({
  domNode: document.getElementById('api'),
  url: '/api/openapi.json',
  deepLinking: true,
  persistAuthorization: true,
  displayRequestDuration: true,
  filter: true,
  docExpansion: 'none',
})
