/** An index of documents in a page: from a list and from a folder of the origin, kept over a reload, under a strict policy. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'

describeInBrowser('documents in a page', () => {
  let server: PageServer
  beforeAll(async () => void (server = await PageServer.start()), 60_000)
  afterAll(() => server?.close())

  test('a list: found, changed, kept for the next visit; the module is loaded with the first index', async () => {
    const { page, context, complaints } = await openPage(server.page('cache'))
    const ofIndex = () => server.asked.filter((address) => address.includes('aetherflow_index'))
    expect(ofIndex()).toEqual([])
    const told = await page.evaluate(async () => {
      let text = '# Install\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n'
      const documents = () => Promise.resolve([{ path: 'guide.md', text }])
      const docs = await api.openDocs({ documents, name: 'guides' })
      const first = await docs.search('fetch the toolchain on Linux')
      text = `New.\n\n${text}`
      const { changed } = await docs.update()
      const { reference = '', mark = '' } = first.sections[0] ?? {}
      const now = await docs.resolve(reference, mark)
      const { parts } = await docs.retrieve('toolchain on Linux', { tokens: 100 })
      await docs.close()
      return { reference, changed, state: now.state, first: now.section?.first, text: parts.at(-1)?.text }
    })
    expect(told).toEqual({
      ...{ reference: 'guide.md:Install › Linux.3', changed: 1, state: 'moved', first: 5 },
      text: '## Linux\n\nUse apt-get to fetch the toolchain.\n',
    })
    expect(ofIndex().length).toBeGreaterThan(0)
    await page.reload()
    await page.waitForFunction(() => globalThis.ready)
    const kept = await page.evaluate(async () => {
      const text = 'New.\n\n# Install\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n'
      const docs = await api.openDocs({ documents: [{ path: 'guide.md', text }], name: 'guides' })
      const { read, files } = await docs.update()
      await docs.close()
      return { read, files }
    })
    expect(kept).toEqual({ read: 0, files: 1 })
    expect(complaints).toEqual([])
    await context.close()
  }, 60_000)

  test('a folder, without what is ignored', async () => {
    const { page, context, complaints } = await openPage(server.page('cache'))
    const told = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory()
      const write = async (folder: FileSystemDirectoryHandle, name: string, text: string) => {
        const stream = await (await folder.getFileHandle(name, { create: true })).createWritable()
        await stream.write(text)
        await stream.close()
      }
      const below = await root.getDirectoryHandle('docs', { create: true })
      await write(below, 'a.md', '# Cache\n\nIt is cleared by hand.\n')
      await write(below, 'draft.md', '# Draft\n')
      await write(below, 'c.ts', 'export class Store {}\n')
      await write(root, '.gitignore', 'draft.md\n')
      const docs = await api.openDocs({ documents: root })
      const found = await docs.search('how is the cache cleared')
      const files = docs.files().map(({ path, guessed }) => ({ path, guessed }))
      await docs.close()
      return { files, reference: found.sections[0]?.reference }
    })
    expect(told).toEqual({
      files: [
        { path: 'docs/a.md', guessed: false },
        { path: 'docs/c.ts', guessed: true },
      ],
      reference: 'docs/a.md:Cache.1',
    })
    expect(complaints).toEqual([])
    await context.close()
  }, 60_000)
})
