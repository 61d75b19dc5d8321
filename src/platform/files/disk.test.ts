import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer, type Server } from '../../transport/server.ts'
import { filesContract } from './contract.ts'
import { type DiskFiles, openDiskFiles } from './disk.ts'
import { attachment } from './disposition.ts'
import { fileRoutes } from './routes.ts'

const key = 'a key for tests, longer than thirty-two bytes'
const bytes = (text: string) => new TextEncoder().encode(text)
const plain = { contentType: 'text/plain' }

let folder: string
let root: string
let clock = Date.now()
let files: DiskFiles
let server: Server

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'atelier-files-'))
  root = join(folder, 'files')
  files = await openDiskFiles({ root, key, publicUrl: 'https://atelier.example', now: () => clock })
  server = await createServer({
    logger: pino({ level: 'silent' }),
    authenticator: { authenticate: () => Promise.reject(new Error('not asked')) },
    corsOrigins: [],
  })
  await server.register(fileRoutes(files))
})

afterAll(async () => {
  await server.close()
  await files.close()
  await rm(folder, { recursive: true, force: true })
})

filesContract(async () => files)

describe('disk', () => {
  test('nothing is left beside the objects, and empty folders go', async () => {
    await files.put('tidy/a/b', bytes('x'), plain)
    expect(await readdir(join(root, 'tidy/a'))).toEqual(['b'])
    await files.delete('tidy/a/b')
    expect(await readdir(root)).not.toContain('tidy')
  })

  test('putting and deleting in one folder at once loses nothing', async () => {
    const numbers = Array.from({ length: 200 }, (_, index) => index)
    await Promise.all(
      numbers.map(async index => {
        await files.put(`busy/x/${index}`, bytes(String(index)), plain)
        if (index % 2 === 0) await files.delete(`busy/x/${index}`)
      }),
    )
    const left = await Promise.all(numbers.map(index => files.get(`busy/x/${index}`)))
    expect(left.map(found => found !== null)).toEqual(numbers.map(index => index % 2 === 1))
  })

  test('symbolic links are followed neither as object nor as folder, for reading or writing', async () => {
    const outside = join(folder, 'outside')
    await mkdir(outside)
    await writeFile(join(outside, 'secret'), 'canary')
    await symlink(join(outside, 'secret'), join(root, 'linked-file'))
    await symlink(outside, join(root, 'linked-folder'))
    expect(await files.get('linked-file')).toBeNull()
    expect(await files.get('linked-folder/secret')).toBeNull()
    await files.delete('linked-folder/secret')
    await expect(files.put('linked-folder/new/deep', bytes('x'), plain)).rejects.toThrow()
    await expect(files.put('linked-folder/secret', bytes('x'), plain)).rejects.toThrow()
    expect(await readdir(outside)).toEqual(['secret'])
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('canary')
    const listed: string[] = []
    for await (const name of files.list('linked')) listed.push(name)
    expect(listed).toEqual([])
  })
})

async function open(url: string) {
  return server.inject({ method: 'GET', url: url.replace('https://atelier.example', '') })
}

describe('links', () => {
  const link = {
    expiresInSeconds: 60,
    contentType: 'text/plain; charset=utf-8',
    downloadName: 'Schöne Datei.txt',
  }

  test('serve the bytes as a download that can do nothing in our origin', async () => {
    await files.put('links/a', bytes('<script>alert(1)</script>'), plain)
    const answer = await open(await files.link('links/a', { ...link, contentType: 'text/html' }))
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toBe('<script>alert(1)</script>')
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html',
      'content-disposition': `attachment; filename="Sch_ne Datei.txt"; filename*=UTF-8''Sch%C3%B6ne%20Datei.txt`,
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': expect.stringContaining('private'),
    })
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  test('a changed, foreign or nonsense token is 404; an old one 410; an absent object 404; all in the error body', async () => {
    await files.put('links/b', bytes('b'), plain)
    const url = await files.link('links/b', link)
    const other = await openDiskFiles({ root, key: `${key}!`, publicUrl: 'https://atelier.example' })
    const forged = url.replace(/(.)(\..{43})$/, (_, last, mac) => (last === 'A' ? `B${mac}` : `A${mac}`))
    const wrong = [
      forged,
      await other.link('links/b', link),
      'https://atelier.example/files/',
      'https://atelier.example/files/x.y.z',
      `${url}x`,
      `${url}=`,
      `${url}%0a`,
    ]
    for (const address of wrong) {
      const answer = await open(address)
      expect(answer.statusCode, address).toBe(404)
      expect(answer.json()).toMatchObject({ success: false, data: null, code: expect.any(String) })
    }
    await files.delete('links/b')
    expect((await open(url)).statusCode).toBe(404)
    await files.put('links/b', bytes('b'), plain)
    expect((await open(url)).statusCode).toBe(200)
    clock += 61_000
    const late = await open(url)
    expect(late.statusCode).toBe(410)
    expect(late.json()).toMatchObject({ success: false, code: 'LINK_EXPIRED' })
  })

  test.each<[string, string]>([
    ['a"; filename="b.exe', 'a ; filename= b.exe'],
    ['x\r\nSet-Cookie: a=b', 'x  Set-Cookie: a=b'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Windows\\a.txt', 'a.txt'],
    ['', 'download'],
    ['...', 'download'],
    ['a'.repeat(5000), 'a'.repeat(150)],
    ['💡'.repeat(200), '💡'.repeat(150)],
    ['\ud800x', '\ufffdx'],
    ['a\u202egnp.exe', 'a gnp.exe'],
  ])('a file name keeps no tricks (%#)', (name, saved) => {
    const header = attachment(name)
    expect(header).toMatch(
      /^attachment; filename="[\x20-\x7e]*"; filename\*=UTF-8''[!#$&+\-.^_`|~0-9A-Za-z%]*$/,
    )
    const decoded = decodeURIComponent(header.split("UTF-8''")[1] ?? '')
    expect(decoded.replaceAll(/ +/g, ' ')).toBe(saved.replaceAll(/ +/g, ' '))
  })
})
