// The page of the worker: it shows what it is told, and knows nothing of AetherFlow.
const log = document.querySelector('#log')
const worker = new Worker(new URL('./worker-run.mjs', import.meta.url), { type: 'module' })
worker.onmessage = ({ data }) => {
  log.textContent += `${data}\n`
  if (data.startsWith('done')) document.title = data
}
