// The fault suite: node test/faults/run.ts --only kills --kills 10 --streams 20 --mode embedded
import { parseArgs } from 'node:util'
import { runKills } from './kills.ts'
import type { Report } from './report.ts'
import { abandonAll } from './stage.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    mode: { type: 'string', default: '' },
    kills: { type: 'string', default: '12' },
    streams: { type: 'string', default: '20' },
    lanes: { type: 'string', default: '3' },
  },
})

const kills = { kills: Number(values.kills), streams: Number(values.streams), lanes: Number(values.lanes) }

const scenarios: { name: string; mode: 'embedded' | 'distributed'; run: () => Promise<Report> }[] = [
  { name: 'kills', mode: 'embedded', run: () => runKills('embedded', kills) },
  { name: 'kills', mode: 'distributed', run: () => runKills('distributed', kills) },
]

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.stdout.write('\nstopping: ending what was started\n')
    void abandonAll().finally(() => process.exit(130))
  })
}

let hasFailed = false
for (const { name, mode, run } of scenarios) {
  if (values.only && !values.only.split(',').includes(name)) continue
  if (values.mode && values.mode !== mode) continue
  const startedAt = Date.now()
  const report = await run()
  process.stdout.write(
    `${report.text()}\n           took ${Math.round((Date.now() - startedAt) / 1000)} s\n\n`,
  )
  hasFailed ||= report.failures.length > 0
}
process.exit(hasFailed ? 1 : 0)
