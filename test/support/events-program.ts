// A process that writes word after word into the log of argv[2], until somebody ends it.
import { createRedisEventLogs } from '../../src/platform/events/redis.ts'

const { id, ...options } = JSON.parse(process.argv[2] ?? '{}')
const log = createRedisEventLogs(options).open(id)
let index = 0
setInterval(() => log.append({ type: 'text-delta', text: `word-${index++} ` }), 5)
process.stdout.write('writing\n')
