/** A stack with a limit. */
export class Stack {
  #items = []
  #most
  constructor(most = Infinity) {
    if (!(most >= 1)) throw new RangeError('a stack holds at least one item')
    this.#most = most
  }
  get size() {
    return this.#items.length
  }
  /** Throws a RangeError when the stack is full. */
  push(item) {
    if (this.#items.length >= this.#most) throw new RangeError('the stack is full')
    this.#items.push(item)
    return this
  }
  /** Undefined when it is empty. */
  pop() {
    return this.#items.pop()
  }
  peek() {
    return this.#items.at(-1)
  }
}
