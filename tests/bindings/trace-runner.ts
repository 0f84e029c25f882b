import { readFileSync } from 'node:fs'
import { parseTrace, type Trace } from './trace-player.js'

export const readTrace = (path: string): Trace => parseTrace(readFileSync(path, 'utf8'))
