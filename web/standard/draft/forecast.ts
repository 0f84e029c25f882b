/** What drafting is expected to gain, with the waits for places in it: a small simulation of both ways to work, without any randomness. */

/** A model as far as time is concerned. */
export interface Lane {
  /** Calls of one provider share its places. */
  readonly provider: string
  readonly places: number
  /** Ms of an answer in full. */
  readonly answerMs: number
  /** Ms of a verdict that accepts. */
  readonly verdictMs: number
}

export interface DraftForecast {
  /** Steps that are ready at the same time and would go the same way. */
  readonly width: number
  /** Models that may answer in full, preferred first. */
  readonly full: readonly Lane[]
  /** Models that may draft. */
  readonly drafters: readonly Lane[]
  /** Models that may give the verdict. */
  readonly verifiers: readonly Lane[]
  /** The full answer is asked for at the same time. */
  readonly hedged?: boolean
  /** Share of drafts that are accepted, 0–1. */
  readonly accepted: number
  /** Share of accepted drafts that are compared with a full answer afterwards, 0–1. */
  readonly audited: number
}

/** Wider than this tells nothing new. */
const mostWidth = 64
/** Steps that are looked at, in as many groups as that takes: enough for a share of them to be rejected. */
const least = 40

/** Mean time of a step without drafts over that with them; 0: nobody could do it. */
export function predictedGain(forecast: DraftForecast): number {
  const width = Math.min(mostWidth, Math.max(1, Math.round(forecast.width)))
  const [rejected, compared] = [new Share(1 - forecast.accepted), new Share(forecast.accepted * forecast.audited)]
  let [without, drafted] = [0, 0]
  for (let steps = 0; steps < least; steps += width) {
    without += inFull(forecast, width)
    drafted += withDrafts(forecast, width, rejected, compared)
  }
  return drafted > 0 && Number.isFinite(drafted) && Number.isFinite(without) ? without / drafted : 0
}

/** Says yes so often, evenly. */
class Share {
  readonly #share: number
  #sum = 0.5
  constructor(share: number) {
    this.#share = share
  }
  next(): boolean {
    this.#sum += this.#share
    if (this.#sum < 1) return false
    this.#sum -= 1
    return true
  }
}

/** When the places of each provider are free again. */
class Places {
  readonly #free = new Map<string, number[]>()

  /**
   * Takes a place of the first lane where one is free, else the one where the work ends first, as the core does; when it ends.
   * Infinity: there is no lane.
   */
  take(lanes: readonly Lane[], from: number, msOf: (lane: Lane) => number): number {
    let [end, times, index] = [Infinity, [] as number[], -1]
    for (const lane of lanes) {
      const free = this.#free.get(lane.provider) ?? Array.from({ length: Math.max(1, lane.places) }, () => 0)
      this.#free.set(lane.provider, free)
      const soonest = free.reduce((best, time, at) => (time < free[best]! ? at : best), 0)
      const ends = Math.max(from, free[soonest]!) + msOf(lane)
      if (ends < end) [end, times, index] = [ends, free, soonest]
      if (lane === lanes[0] && free[soonest]! <= from) break
    }
    if (index >= 0) times[index] = end
    return end
  }
}

const answerMs = (lane: Lane): number => lane.answerMs
const verdictMs = (lane: Lane): number => lane.verdictMs

/** Sum of the times of `width` steps. */
function inFull({ full }: DraftForecast, width: number): number {
  const places = new Places()
  let sum = 0
  for (let step = 0; step < width; step++) sum += places.take(full, 0, answerMs)
  return sum
}

/** The same with drafts: whatever is ready first goes first, as the core hands it out. */
function withDrafts(forecast: DraftForecast, width: number, rejected: Share, compared: Share): number {
  const { full, drafters, verifiers } = forecast
  const places = new Places()
  const fulls = forecast.hedged ? Array.from({ length: width }, () => places.take(full, 0, answerMs)) : []
  const waiting: { readonly at: number; readonly work: 'draft' | 'verdict' | 'full' | 'comparison' }[] = []
  for (let step = 0; step < width; step++) waiting.push({ at: 0, work: 'draft' })
  let sum = 0
  while (waiting.length > 0) {
    const first = waiting.reduce((best, { at }, index) => (at < waiting[best]!.at ? index : best), 0)
    const [{ at, work }] = waiting.splice(first, 1) as [(typeof waiting)[number]]
    if (work === 'draft') {
      waiting.push({ at: places.take(drafters, at, answerMs), work: 'verdict' })
    } else if (work === 'verdict') {
      const verdict = places.take(verifiers, at, verdictMs)
      const answered = fulls.pop()
      const end = Math.min(verdict, answered ?? Infinity)
      if (rejected.next()) {
        if (answered !== undefined) {
          sum += answered
          continue
        }
        waiting.push({ at: end, work: 'full' })
        continue
      }
      sum += end
      if (compared.next()) waiting.push({ at: end, work: 'comparison' })
    } else {
      const end = places.take(work === 'full' ? full : verifiers, at, answerMs)
      if (work === 'full') sum += end
    }
  }
  return sum
}
