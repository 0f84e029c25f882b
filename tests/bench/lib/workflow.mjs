// A recorded workflow as a plan, its bounds, and the schedule of a dispatcher that knows nothing.

const durationMs = ({ runtime_s: seconds }) => Math.round(seconds * 1000)

/**
 * The plan, the options of `begin`, and the real duration of each step. One provider stands for the machine: its planning
 * estimate is 10 ms a token, so that estimated tokens carry the duration into the priorities.
 */
export function planOfWorkflow(tasks, capacity) {
  const steps = tasks.map((task) => ({
    id: task.id,
    description: task.name,
    type: 'analysis',
    complexity: 0.5,
    estimated_tokens: Math.max(1, Math.round(durationMs(task) / 10)),
    dependencies: task.parents,
  }))
  const model = { in: 0, cached: 0, out: 0, firstTokenMs: 0, tokensPerSecond: 100, maxOut: 1e7 }
  const table = {
    providers: { machine: { name: 'Machine', default: 'task', models: { task: model } } },
    modes: { build: { rules: [{ name: 'all', use: ['machine'], why: 'there is one machine' }] } },
    timeouts: { totalMs: 1e9 },
  }
  return {
    bytes: new TextEncoder().encode(JSON.stringify({ task_id: 'workflow', description: 'A recorded workflow', steps })),
    begin: { mode: 'build', available: ['machine'], concurrency: { machine: capacity }, table },
    durations: tasks.map(durationMs),
  }
}

/** Longest path and sum of all durations, ms. */
export function bounds(tasks) {
  const at = new Map(tasks.map((task, index) => [task.id, index]))
  const ends = new Array(tasks.length)
  let criticalMs = 0
  for (const index of inOrder(tasks)) {
    const start = Math.max(0, ...tasks[index].parents.map((parent) => ends[at.get(parent)]))
    ends[index] = start + durationMs(tasks[index])
    criticalMs = Math.max(criticalMs, ends[index])
  }
  return { criticalMs, totalMs: tasks.reduce((sum, task) => sum + durationMs(task), 0) }
}

/** Makespan when ready tasks start in the order of the file, `capacity` at once. */
export function listSchedule(tasks, capacity) {
  const { missing, successors } = links(tasks)
  const ready = [...missing.keys()].filter((index) => missing[index] === 0)
  const running = []
  let now = 0
  while (ready.length > 0 || running.length > 0) {
    ready.sort((a, b) => a - b)
    for (const index of ready.splice(0, capacity - running.length)) {
      running.push({ index, end: now + durationMs(tasks[index]) })
    }
    running.sort((a, b) => a.end - b.end)
    now = running[0].end
    while (running[0]?.end === now) {
      for (const next of successors[running.shift().index]) if (--missing[next] === 0) ready.push(next)
    }
  }
  return now
}

function links(tasks) {
  const at = new Map(tasks.map((task, index) => [task.id, index]))
  const successors = tasks.map(() => [])
  for (const [index, task] of tasks.entries()) for (const parent of task.parents) successors[at.get(parent)].push(index)
  return { missing: tasks.map((task) => task.parents.length), successors }
}

function inOrder(tasks) {
  const { missing, successors } = links(tasks)
  const order = [...missing.keys()].filter((index) => missing[index] === 0)
  for (let at = 0; at < order.length; ++at) {
    for (const next of successors[order[at]]) if (--missing[next] === 0) order.push(next)
  }
  return order
}
