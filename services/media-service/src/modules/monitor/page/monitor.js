const REFRESH_MS = 2_000
const KEY = 'operator_token'
const find = (id) => document.getElementById(id)
let page = 1

/**
 * Calls the API. The token stays in this tab and is sent as a header, so that no other site can make the
 * browser send it.
 */
async function call(method, path) {
  const headers = { authorization: `Bearer ${sessionStorage.getItem(KEY)}` }
  const response = await fetch(path, { method, headers })
  const body = await response.json()
  if (response.ok) return body
  if (response.status === 401) sessionStorage.removeItem(KEY)
  throw new Error(body.detail ?? body.title)
}

/** Creates a table row. Untrusted values (names of errors and workers) are set as text only. */
function row(cells) {
  const line = document.createElement('tr')
  for (const cell of cells) {
    const field = line.insertCell()
    if (cell instanceof Node) field.append(cell)
    else field.textContent = cell ?? ''
  }
  return line
}

const seconds = (value) => (value === null ? '' : `${value} s`)
const time = (value) => (value === null ? '' : new Date(value).toLocaleString())
const runTime = ({ started_at, finished_at }) =>
  started_at === null
    ? ''
    : seconds(((finished_at ? new Date(finished_at) : Date.now()) - new Date(started_at)) / 1000)

function action(name, job) {
  const button = document.createElement('button')
  button.textContent = name
  button.addEventListener('click', async () => {
    button.disabled = true
    await attempt(() => call('POST', `/monitor/jobs/${job.job_id}/${name.toLowerCase()}`))
    await refresh()
  })
  return button
}

function actionsOf(job) {
  if (job.cancel_requested && job.state === 'running') return 'stopping'
  if (job.state === 'queued' || job.state === 'running') return action('Cancel', job)
  return job.state === 'succeeded' ? '' : action('Retry', job)
}

async function show() {
  const query = new URLSearchParams({ page, limit: 50 })
  if (find('state').value) query.set('state', find('state').value)
  const [overview, jobs] = await Promise.all([
    call('GET', '/monitor/overview'),
    call('GET', `/monitor/jobs?${query}`),
  ])
  find('workers').replaceChildren(
    ...overview.workers.map((each) =>
      row([
        each.worker,
        each.alive ? 'alive' : 'silent',
        each.running,
        each.slots,
        time(each.started_at),
        time(each.seen_at),
      ]),
    ),
  )
  find('kinds').replaceChildren(
    ...overview.kinds.map((each) =>
      row([
        each.kind,
        each.queued,
        seconds(each.oldest_queued_seconds),
        each.running,
        each.succeeded,
        each.failed,
        each.cancelled,
        seconds(each.p50_seconds),
        seconds(each.p95_seconds),
      ]),
    ),
  )
  find('jobs').replaceChildren(
    ...jobs.items.map((job) =>
      row([
        job.job_id,
        job.kind,
        job.state,
        `${job.progress} % ${job.stage ?? ''}`,
        job.attempts,
        job.worker,
        runTime(job),
        [job.error_code, job.error_detail].filter(Boolean).join(': '),
        time(job.created_at),
        actionsOf(job),
      ]),
    ),
  )
}

async function attempt(work) {
  try {
    await work()
    find('problem').textContent = ''
  } catch (err) {
    find('problem').textContent = err.message
  }
}

async function refresh() {
  const isSignedIn = () => sessionStorage.getItem(KEY) !== null
  if (isSignedIn()) await attempt(show)
  find('board').hidden = !isSignedIn()
  find('sign-in').hidden = isSignedIn()
}

find('sign-in').addEventListener('submit', (event) => {
  event.preventDefault()
  sessionStorage.setItem(KEY, find('token').value)
  find('token').value = ''
  refresh()
})
find('state').addEventListener('change', () => {
  page = 1
  refresh()
})
for (const [id, step] of [
  ['previous', -1],
  ['next', 1],
])
  find(id).addEventListener('click', () => {
    page = Math.max(1, page + step)
    refresh()
  })
setInterval(() => document.hidden || refresh(), REFRESH_MS)
refresh()
