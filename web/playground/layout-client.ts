/** Asks the layout worker, one layout at a time: of several asked for meanwhile only the last is of use. */
import type { GraphLayout, LayoutRequest } from '../element/layers.js'

/**
 * Steps of the largest plan that dagre lays out: beyond it takes many seconds of a core that the run needs, and its columns come
 * out several times as high as those of the quick layout, so that less of the plan is seen.
 */
const mostSteps = 400

interface Asked {
  readonly id: number
  readonly request: LayoutRequest
  resolve(layout: GraphLayout | undefined): void
}

export class LayoutClient {
  #worker: Worker | undefined
  #under: Asked | undefined
  #next: Asked | undefined
  #ids = 0

  /** Undefined: another request took its place, or there is no worker to be had. */
  layout(request: LayoutRequest): Promise<GraphLayout | undefined> {
    const { length } = request.dependencies
    if (length < 2 || length > mostSteps) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#next?.resolve(undefined)
      this.#next = { id: ++this.#ids, request, resolve }
      this.#send()
    })
  }

  #send(): void {
    if (this.#under !== undefined || this.#next === undefined) return
    this.#under = this.#next
    this.#next = undefined
    const { id, request } = this.#under
    try {
      this.#open().postMessage({ id, request })
    } catch {
      this.#settle(id, undefined)
    }
  }

  #open(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(new URL('./layout-worker.js', import.meta.url), { type: 'module', name: 'layout' })
    worker.onmessage = ({ data }: MessageEvent<{ id: number; layout: GraphLayout }>) =>
      this.#settle(data.id, data.layout)
    worker.onerror = () => {
      worker.terminate()
      this.#worker = undefined
      if (this.#under !== undefined) this.#settle(this.#under.id, undefined)
    }
    this.#worker = worker
    return worker
  }

  #settle(id: number, layout: GraphLayout | undefined): void {
    if (this.#under?.id !== id) return
    const { resolve } = this.#under
    this.#under = undefined
    resolve(layout)
    this.#send()
  }
}
