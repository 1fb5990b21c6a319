export interface RunningService {
  name: string
  url: string
}

const variables = {
  'user-service': 'BIGTECH_USER_URL',
  'friend-service': 'BIGTECH_FRIEND_URL',
  'chat-service': 'BIGTECH_CHAT_URL',
  'notification-service': 'BIGTECH_NOTIFICATION_URL',
  'analytics-service': 'BIGTECH_ANALYTICS_URL',
  'media-service': 'BIGTECH_MEDIA_URL',
  'media-worker': 'BIGTECH_MEDIA_WORKER_URL',
  'analysis-service': 'BIGTECH_ANALYSIS_URL',
}

/** Returns the services of the running stack from the variables of its tests. */
export function runningServices(): RunningService[] {
  return Object.entries(variables).map(([name, variable]) => {
    const url = process.env[variable]
    if (!url) throw new Error(`${variable} is not set: these tests ask a running stack (npm test, npm start)`)
    return { name, url }
  })
}
