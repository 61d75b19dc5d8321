// Builds of artifacts through the whole server: npm run bench:artifacts [-- --rounds 20]
// How long a build of a React component takes (never seen before; seen before), and how 20 builds at once change the time
// to the first token of streams. The provider is in this process, the server is one of its own on embedded Postgres.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median } from './columns.ts'
import { runToEnd } from './main.ts'
import { startServer } from './processes.ts'
import { atelierEnvironment, type Caller, project, seedAtelier, startFlags } from './rows.ts'

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } })
const rounds = Number(options.rounds)
const atOnce = 20
const warmUps = 20
const freshBuilds = 60
const cachedBuilds = 300
const streamsEach = 20

const stack = new AsyncDisposableStack()
const say = (text: string) => process.stdout.write(text)
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 200, scheduling: 'lifo' })

/** A component of the kind that models write: state, a list, icons, a chart, a date. */
const component = (number: number) => `import { useMemo, useState } from 'react'
import { format } from 'date-fns'
import { Plus, Trash2 } from 'lucide-react'
import { Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'

interface Entry { id: number; label: string; amount: number; date: Date }

const start: Entry[] = [
  { id: 1, label: 'Rent ${number}', amount: 900, date: new Date(2026, 0, 1) },
  { id: 2, label: 'Food', amount: 240.5, date: new Date(2026, 0, 9) },
]

function Row({ entry, onRemove }: { entry: Entry; onRemove: (id: number) => void }) {
  return (
    <li className="row">
      <span>{entry.label}</span>
      <time>{format(entry.date, 'd MMM')}</time>
      <strong>{entry.amount.toFixed(2)}</strong>
      <button type="button" aria-label={'Remove ' + entry.label} onClick={() => onRemove(entry.id)}>
        <Trash2 size={14} />
      </button>
    </li>
  )
}

export default function Budget${number}() {
  const [entries, setEntries] = useState(start)
  const [label, setLabel] = useState('')
  const total = useMemo(() => entries.reduce((sum, entry) => sum + entry.amount, 0), [entries])
  const points = entries.map(entry => ({ name: format(entry.date, 'd.M.'), amount: entry.amount }))
  const add = () => {
    if (label.trim() === '') return
    setEntries([...entries, { id: Date.now(), label, amount: ${number % 97}, date: new Date() }])
    setLabel('')
  }
  return (
    <main style={{ maxWidth: 480, margin: '2rem auto' }}>
      <h1>Budget {total.toFixed(2)}</h1>
      <form onSubmit={event => { event.preventDefault(); add() }}>
        <input value={label} onChange={event => setLabel(event.target.value)} />
        <button type="submit"><Plus size={14} /> Add</button>
      </form>
      <ul>{entries.map(entry => <Row key={entry.id} entry={entry} onRemove={id => setEntries(entries.filter(one => one.id !== id))} />)}</ul>
      <ResponsiveContainer width="100%" height={200}>
        <LineChart data={points}><XAxis dataKey="name" /><YAxis /><Tooltip /><Line dataKey="amount" /></LineChart>
      </ResponsiveContainer>
    </main>
  )
}
`

/** Speaks chat completions: a component when the question names a number, else a few words. */
function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  let body = ''
  request.on('data', chunk => {
    body += chunk
  })
  request.on('end', () => {
    const number = body
      .match(/\[\[component (\d+)\]\]/g)
      ?.at(-1)
      ?.match(/\d+/)?.[0]
    const fenced = `Here it is:\n\n\`\`\`tsx\n${component(Number(number))}\`\`\`\n`
    const words = number === undefined ? ['one ', 'two ', 'three ', 'four ', 'five'] : [fenced]
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const content of words)
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
    const usage = { prompt_tokens: 10, completion_tokens: words.length, total_tokens: 10 + words.length }
    response.write(
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage })}\n\n`,
    )
    response.end('data: [DONE]\n\n')
  })
}

interface Asked {
  port: number
  path: string
  token: string
  body: object
  /** What to wait for in a stream; the whole answer when absent. */
  mark?: string
}

interface Told {
  ms: number
  text: string
}

/** Asks, and gives the time until the mark (or the end) was there; resolves at the end. */
function ask({ port, path, token, body, mark }: Asked): Promise<Told> {
  const text = JSON.stringify(body)
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    authorization: `Bearer ${token}`,
  }
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent })
    request.on('error', reject)
    request.on('response', response => {
      let said = ''
      let ms = Number.NaN
      response.setEncoding('utf8')
      response.on('data', chunk => {
        said += chunk
        if (Number.isNaN(ms) && mark !== undefined && said.includes(mark)) ms = performance.now() - begun
      })
      response.on('end', () => {
        if (response.statusCode !== 200)
          reject(new Error(`${path}: ${response.statusCode} ${said.slice(0, 300)}`))
        else resolve({ ms: Number.isNaN(ms) ? performance.now() - begun : ms, text: said })
      })
    })
    request.end(text)
  })
}

/** An artifact that was never built, and who may build it. */
interface Fresh {
  id: string
  token: string
}

async function main(): Promise<void> {
  const provider = http.createServer(answer).listen(0, '127.0.0.1')
  await once(provider, 'listening')
  stack.defer(() => void provider.close())
  const providerPort = (provider.address() as AddressInfo).port
  const dataDir = await mkdtemp(join(tmpdir(), 'atelier-artifacts-bench-'))
  stack.defer(() => rm(dataDir, { recursive: true, force: true }))
  const callers = await seedAtelier({ dataDir, providerPort, accounts: 10 })
  const server = await startServer([...startFlags, 'src/main.ts', 'serve'], {
    cwd: project,
    env: atelierEnvironment({ dataDir, providerPort }),
    awaited: /http:\/\/localhost:(\d+)\/api\/v1/,
  })
  stack.defer(() => server.stop())
  await measure({ port: Number(server.found), providerPort, callers })
}

interface World {
  port: number
  providerPort: number
  callers: readonly Caller[]
}

async function measure(world: World): Promise<void> {
  const { port } = world
  say('making artifacts\n')
  const fresh = await makeArtifacts(world, warmUps + freshBuilds + rounds * atOnce)
  const inBuilder: number[] = []
  const build = async ({ id, token }: Fresh): Promise<number> => {
    const { ms, text } = await ask({ port, token, path: `/api/v1/artifacts/${id}/build`, body: {} })
    if (!text.includes('"ok":true')) throw new Error(text.slice(0, 500))
    inBuilder.push(Number(/"durationMs":([\d.]+)/.exec(text)?.[1]))
    return ms
  }
  for (const each of fresh.splice(0, warmUps)) await build(each)
  const first: number[] = []
  inBuilder.length = 0
  const sources = fresh.splice(0, freshBuilds)
  for (const each of sources) first.push(await build(each))
  tell('a React build that is new (goal: 10 ms median)', first)
  tell('the part of it in the builder', inBuilder)
  const again: number[] = []
  for (let index = 0; index < cachedBuilds; index++)
    again.push(await build(sources[index % sources.length] as Fresh))
  tell('the same asked for again (goal: 3 ms median)', again)
  await measureStreams(world, fresh, build)
}

/** Quiet rounds and rounds with builds take turns, so that the machine's moods hit both alike. */
async function measureStreams(
  world: World,
  fresh: Fresh[],
  build: (each: Fresh) => Promise<number>,
): Promise<void> {
  const quiet: number[] = []
  const busy: number[] = []
  const building: number[] = []
  for (let count = 0; count < 100; count++) await stream(world, count)
  for (let round = 0; round < rounds; round++) {
    for (let count = 0; count < streamsEach; count++) quiet.push(await stream(world, count))
    let isBuilding = true
    const builds = Promise.all(fresh.splice(0, atOnce).map(build)).then(times => {
      isBuilding = false
      building.push(...times)
    })
    for (let count = 0; isBuilding; count++) busy.push(await stream(world, count))
    await builds
  }
  const direct: number[] = []
  for (let count = 0; count < 200; count++) direct.push(await askProvider(world.providerPort))
  tell('first token from the provider itself', direct)
  tell('first token of a stream', quiet)
  tell(`first token while ${atOnce} builds are under way`, busy)
  tell(`a build among ${atOnce}`, building)
  const added = [quiet, busy].map(times => median(times) - median(direct))
  say(
    `added time to first token: ${added.map(ms => ms.toFixed(2)).join(' → ')} ms, ${((added[1] ?? 0) / (added[0] ?? 1)).toFixed(2)} × (goal: 2)\n`,
  )
}

async function stream({ port, callers }: World, index: number): Promise<number> {
  const { token } = callers[index % callers.length] as Caller
  const body = { message: 'Please write some words', stream: true }
  const mark = '"type":"text-delta"'
  return (await ask({ port, token, path: '/api/v1/generations', body, mark })).ms
}

async function askProvider(port: number): Promise<number> {
  const body = { model: 'bench', stream: true, messages: [{ role: 'user', content: 'words' }] }
  return (await ask({ port, token: 'x', path: '/v1/chat/completions', body, mark: '"content"' })).ms
}

async function makeArtifacts({ port, callers }: World, count: number): Promise<Fresh[]> {
  const made: Fresh[] = []
  for (let number = 0; number < count; number++) {
    const { token } = callers[number % callers.length] as Caller
    const body = { message: `Make [[component ${number}]]`, stream: true }
    const { text } = await ask({ port, token, path: '/api/v1/generations', body })
    const id = /"type":"artifact-ready".*?"artifact":\{"id":"([^"]+)"/.exec(text)?.[1]
    if (!id) throw new Error(`no artifact: ${text.slice(0, 500)}`)
    made.push({ id, token })
  }
  return made
}

function tell(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(2)
  const load = loadavg()[0]?.toFixed(1)
  say(`${what}: median ${at(0.5)} ms, fastest ${at(0)}, p95 ${at(0.95)} (${times.length}, load ${load})\n`)
}

await runToEnd(main, stack)
