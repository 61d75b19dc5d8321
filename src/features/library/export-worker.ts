import { parentPort, workerData } from 'node:worker_threads'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'

// What comes from here on is the time of the text.
parentPort?.postMessage('loaded')
// Raw HTML is shown as text, and links may only go where links go: micromark's own defaults.
parentPort?.postMessage(micromark(String(workerData), { extensions: [gfm()], htmlExtensions: [gfmHtml()] }))
