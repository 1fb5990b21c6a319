/** A member of the rounds. */
interface Beating {
  /** The round that the stream belongs to. */
  round: number
}

/** Rounds of one second in which every stream gets one heartbeat. */
const HEARTBEAT_ROUNDS = 30
/** Clients skip the acknowledgement of heartbeats within 25 s after the opening, and are closed after 50 s without one. */
const MIN_FIRST_ROUNDS = 26

/**
 * Divides the open streams into rounds, so that a round visits its own streams only. The first heartbeat of a stream comes 25 to 30 s
 * after it was opened, spread out for streams that were opened at once.
 */
export class HeartbeatRounds<Stream extends Beating> {
  readonly #rounds = Array.from({ length: HEARTBEAT_ROUNDS }, () => new Set<Stream>())
  /** The round that was returned last. */
  #current = 0

  add(stream: Stream): void {
    const spread = HEARTBEAT_ROUNDS - MIN_FIRST_ROUNDS + 1
    const rounds = MIN_FIRST_ROUNDS + Math.floor(Math.random() * spread)
    stream.round = (this.#current + rounds) % HEARTBEAT_ROUNDS
    this.#rounds[stream.round]!.add(stream)
  }

  remove(stream: Stream): void {
    this.#rounds[stream.round]!.delete(stream)
  }

  /** Returns the streams of the next round. */
  next(): ReadonlySet<Stream> {
    this.#current = (this.#current + 1) % HEARTBEAT_ROUNDS
    return this.#rounds[this.#current]!
  }
}
