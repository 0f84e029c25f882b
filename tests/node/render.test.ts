import { describe, expect, test } from '@jest/globals'
import type { RunEvent, StepInfo } from '../../bindings/events.js'
import { paint } from '../../node/cli/colour.js'
import { JsonRenderer } from '../../node/cli/render/json.js'
import { PlainRenderer, QuietRenderer } from '../../node/cli/render/plain.js'
import { TtyRenderer } from '../../node/cli/render/tty.js'
import { FakeClock } from '../sim/fake-clock.js'
import { Screen } from './render-screen.js'

const header = { plan: 'shop.json', mode: 'build', simulated: 'default' }
const tokens = { input: 100, cached: 0, output: 1234, reasoning: 0 }

const step = (id: string, step = 0): StepInfo => ({
  step,
  id,
  type: 'analysis',
  complexity: 0.5,
  estimatedTokens: 100,
  output: 'text',
  optional: false,
  priority: 0,
  files: [],
  dependencies: [],
})
const steps = (...ids: string[]): RunEvent => ({ type: 'steps', at: 0, steps: ids.map(step) })
const call = (id: string, at: number, provider = 'groq'): RunEvent => ({
  ...{ type: 'call', at, step: id, call: 0, purpose: 'main', attempt: 0 },
  ...{ provider, model: 'm', estimateMs: 1000, reason: 'routed' as const, why: 'speed' },
})
const answer = (id: string, at: number): RunEvent => ({
  ...{ type: 'answer', at, step: id, call: 0, purpose: 'main', check: 'passed' },
  ...{ tokens, tokensEstimated: false },
})
const done = (id: string, at: number): RunEvent => ({
  ...{ type: 'done', at, step: id, bytes: 10, repaired: false, costMicroUsd: 4200 },
})

/** A run in every state a row can have: done, running, failed, skipped, waiting; names that are wide and hostile. */
const story: readonly RunEvent[] = [
  steps('plain', '漢字の仕事', 'esc\u001b[2J\u202eid', 'after', '👩‍💻 pair', 'later'),
  call('plain', 10),
  call('漢字の仕事', 20, 'deepseek'),
  call('esc\u001b[2J\u202eid', 20),
  call('👩‍💻 pair', 30),
  { type: 'firstToken', at: 400, step: '漢字の仕事', call: 1, purpose: 'main' },
  { type: 'progress', at: 700, step: '漢字の仕事', call: 1, purpose: 'main', outputTokens: 55 },
  answer('plain', 800),
  done('plain', 810),
  {
    ...{ type: 'failed', at: 900, step: 'esc\u001b[2J\u202eid', failure: 'auth' },
    ...{ message: 'no\u001b]0;x\u0007 key', costMicroUsd: 0 },
  },
  { type: 'skipped', at: 900, step: 'after', reason: 'dependency_failed', cause: 'esc\u001b[2J\u202eid' },
]

function live(columns: number, rows = 24, colours = false) {
  const screen = new Screen(columns, rows)
  const clock = new FakeClock()
  const env = colours ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }
  const renderer = new TtyRenderer(screen, clock, paint(screen, env))
  return { screen, clock, renderer }
}

describe('the live table', () => {
  test('80 columns', async () => {
    const { screen, clock, renderer } = live(80)
    renderer.begin(header)
    for (const event of story) renderer.event(event)
    await clock.advance(100)
    expect(screen.shown).toEqual([
      'shop.json, mode build (simulated: default)',
      '  step        provider     time   tokens      cost',
      '✓ plain       groq       800 ms    1,234   $0.0042',
      '⟳ 漢字の仕事  deepseek   980 ms       55',
      '✗ esc␛[2J�id  groq       880 ms                     no␛]0;x␇ key',
      '⊘ after                                             needs esc␛[2J�id',
      '⟳ 👩‍💻 pair     groq       970 ms                     waiting for the first token',
      '○ later',
      '██████████░░░░░░░░░░ 3/6 · 1.0 s · $0.0042 · 2 running · 1 failed',
    ])
    renderer.end()
  })

  test('40 columns: fewer columns, none too wide', async () => {
    const { screen, clock, renderer } = live(40)
    renderer.begin(header)
    for (const event of story) renderer.event(event)
    await clock.advance(100)
    expect(screen.shown).toEqual([
      'shop.json (simulated: default)',
      '  step        provider     time',
      '✓ plain       groq       800 ms',
      '⟳ 漢字の仕事  deepseek   980 ms',
      '✗ esc␛[2J�id  groq       880 ms',
      '⊘ after',
      '⟳ 👩‍💻 pair     groq       970 ms',
      '○ later',
      '████░░░░ 3/6 · 1.0 s · $0.0042 · 2 run…',
    ])
    renderer.end()
  })

  test.each([1, 2, 5, 10, 17, 20, 27, 30, 43, 56, 200])('%i columns: no line reaches the edge', async (columns) => {
    const { screen, clock, renderer } = live(columns)
    renderer.begin(header)
    for (const event of story) renderer.event(event)
    await clock.advance(100)
    expect(screen.widest).toBeLessThanOrEqual(Math.max(1, columns - 1))
    renderer.end()
  })

  test('a plan larger than the screen: what runs, what has just ended, and counts', async () => {
    const { screen, clock, renderer } = live(60, 12)
    const ids = Array.from({ length: 1000 }, (_, i) => `s${i}`)
    renderer.begin(header)
    renderer.event(steps(...ids))
    for (let i = 0; i < 500; i++) renderer.event(call(`s${i}`, i))
    for (let i = 0; i < 498; i++) renderer.event(done(`s${i}`, 1000 + i))
    await clock.advance(200)
    expect(screen.shown).toEqual([
      'shop.json, mode build (simulated: default)',
      '  step  provider     time   tokens      cost',
      '✓ s495  groq        1.0 s            $0.0042',
      '✓ s496  groq        1.0 s            $0.0042',
      '✓ s497  groq        1.0 s            $0.0042',
      '⟳ s498  groq        1.2 s                     waiting for …',
      '⟳ s499  groq        1.2 s                     waiting for …',
      '○ s500',
      '○ s501',
      '… and 495 done, 498 waiting',
      '███░░░░░ 498/1,000 · 1.7 s · $2.09 · 2 running',
    ])
    expect(screen.shown.length).toBeLessThan(12)
    renderer.end()
  })

  test('redraws at most ten times a second, and not at all when nothing changed', async () => {
    const { screen, clock, renderer } = live(80)
    renderer.begin(header)
    renderer.event(steps('a', 'b'))
    renderer.event(call('a', 0))
    for (let ms = 0; ms < 1000; ms += 5) {
      renderer.event({ type: 'progress', at: ms, step: 'a', call: 0, purpose: 'main', outputTokens: ms })
      await clock.advance(5)
    }
    expect(screen.writes.length).toBeLessThanOrEqual(11)
    renderer.event(answer('a', 1000))
    renderer.event(done('a', 1000))
    renderer.event({ type: 'cancelled', at: 1000, step: 'b', reason: 'run_cancelled' })
    renderer.event({ type: 'finish', at: 1000, outcome: 'cancelled', costMicroUsd: 4200 })
    await clock.advance(100)
    const before = screen.writes.length
    await clock.advance(1000)
    expect(screen.writes.length).toBe(before)
    renderer.end()
  })

  test('every write leaves the cursor visible and wrapping on, and nothing runs after the end', async () => {
    const { screen, clock, renderer } = live(80)
    renderer.begin(header)
    for (const event of story) {
      renderer.event(event)
      await clock.advance(100)
      expect([screen.cursorVisible, screen.wraps]).toEqual([true, true])
    }
    renderer.end()
    renderer.end()
    const writes = screen.writes.length
    await clock.advance(1000)
    expect([clock.waiting, screen.watched, screen.writes.length]).toEqual([0, false, writes])
  })

  test('a resize draws over the old picture, wrapped lines included', async () => {
    const { screen, clock, renderer } = live(80)
    renderer.begin(header)
    for (const event of story) renderer.event(event)
    await clock.advance(100)
    // Nine lines, four of them wider than 40 cells: 13 rows on the narrower screen.
    const wrapped = screen.shown.length + screen.shown.filter((line) => line.length > 41).length
    screen.resize(40, 24)
    expect(screen.writes.at(-1)).toContain(`\u001b[${wrapped}A`)
    renderer.end()
  })

  test('colours change no width', async () => {
    const [plain, coloured] = [live(80), live(80, 24, true)]
    for (const { renderer, clock } of [plain, coloured]) {
      renderer.begin(header)
      for (const event of story) renderer.event(event)
      await clock.advance(100)
      renderer.end()
    }
    const bare = coloured.screen.writes.join('').replace(/\u001b\[\d+m/g, '')
    expect(coloured.screen.writes.join('')).toContain('\u001b[32m✓')
    expect(bare).toBe(plain.screen.writes.join(''))
  })

  test('the sum of the finish stands, though an output becomes durable after it', async () => {
    const { screen, clock, renderer } = live(80)
    renderer.begin(header)
    renderer.event(steps('a'))
    renderer.event(call('a', 0))
    renderer.event({ type: 'finish', at: 900, outcome: 'ok', costMicroUsd: 4200 })
    renderer.event(done('a', 950))
    await clock.advance(100)
    renderer.end()
    expect(screen.shown.at(-1)).toBe('████████████████████ 1/1 · 950 ms · $0.0042')
  })
})

class Written {
  text = ''
  write(text: string): void {
    this.text += text
  }
}

describe('without a terminal', () => {
  test('plain lines: one for each thing that happens', () => {
    const output = new Written()
    const renderer = new PlainRenderer(output)
    renderer.begin(header)
    for (const event of story) renderer.event(event)
    renderer.end()
    expect(output.text.split('\n')).toEqual([
      'plan shop.json, mode build (simulated: default)',
      '   0.000  plan    6 steps',
      '   0.010  start   plain → groq m',
      '   0.020  start   漢字の仕事 → deepseek m',
      '   0.020  start   esc␛[2J�id → groq m',
      '   0.030  start   👩‍💻 pair → groq m',
      '   0.810  done    plain (800 ms, 1,234 tokens, $0.0042)',
      '   0.900  failed  esc␛[2J�id auth: no␛]0;x␇ key',
      '   0.900  skipped after because of esc␛[2J�id',
      '',
    ])
  })

  test('quiet: failures alone', () => {
    const output = new Written()
    const renderer = new QuietRenderer(output)
    renderer.begin()
    for (const event of story) renderer.event(event)
    expect(output.text).toBe('failed esc␛[2J�id auth: no␛]0;x␇ key\n')
  })

  test('JSON: every event, labelled, the same value, no raw control character', () => {
    const output = new Written()
    const renderer = new JsonRenderer(output)
    renderer.begin(header)
    for (const event of story) renderer.event(event)
    const lines = output.text.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(story.map((event) => ({ ...event, simulated: 'default' })))
    expect(output.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
  })
})
