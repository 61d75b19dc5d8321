#!/usr/bin/env node
// Starts src/main.ts on a Node that runs TypeScript as it is (24 or newer): this one if it is new enough,
// else the one that came with `npm install`. Plain JavaScript, because an older Node must be able to read it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const entry = join(root, 'src', 'main.ts')

if (Number(process.versions.node.split('.')[0]) >= 24) {
  process.argv[1] = entry
  await import(entry)
} else {
  const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const binary = [`node-${platform}`, `node-bin-${platform}`]
    .map(name => join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'))
    .find(existsSync)
  if (!binary) {
    process.stderr.write(
      `Atelier needs Node 24 or newer (this is ${process.versions.node}) and no packaged one was found for ${platform}. Run npm install, or install Node 24.\n`,
    )
    process.exit(1)
  }
  const child = spawn(binary, [...process.execArgv, entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
}
