// One contestant at one size in this process: node case.mjs NAME STEPS WARM-ROUNDS. Prints one line of JSON.
import { resourceUsage } from 'node:process'

const [name, steps, warmRounds] = process.argv.slice(2)
const { input, round, runs = true } = await import(`./${name}.mjs`)

const peakMb = () => resourceUsage().maxRSS / 1024
const made = input(Number(steps))
globalThis.gc?.()
const inputMb = peakMb()

async function measured() {
  let done = 0
  const times = await round(made, () => done++)
  // A scheduler that skips work is fast.
  if (runs && done !== Number(steps)) throw new Error(`${name} ran ${done} of ${steps} steps`)
  return times
}

const cold = await measured()
const peak = peakMb()
const warm = []
// No forced collection between rounds: it throws away optimised code too, and each round would measure the compiler.
for (let i = 0; i < Number(warmRounds); ++i) warm.push(await measured())
console.log(JSON.stringify({ cold, warm, inputMb, peakMb: peak }))
