// Time that passes only when nothing else can: the product's own, as its benchmarks use it.
export { VirtualClock } from '../../../dist/node/bench/virtual-clock.js'
