/** How fast a simulated run is played. Its events and report are in the profile's own time, whatever the speed. */
import { simulatorProfiles } from '../standard/simulator/profiles.js'

/** The simulator's own speed that plays a profile `speed` times as fast as it claims. */
export function simulateSpeed(profile: string, speed: number): number {
  const known = Object.hasOwn(simulatorProfiles, profile)
  return speed * (known ? simulatorProfiles[profile as keyof typeof simulatorProfiles].timeScale : 1)
}
