/** A member of the rounds. */
interface Beating {
  /** The round that the stream belongs to. */
  round: number
}

/** Rounds of one second in which every stream gets one heartbeat: a client notices a lost message within 15 s. */
const HEARTBEAT_ROUNDS = 15

/**
 * Divides the open streams into rounds, so that a round visits its own streams only. Streams that were opened at once are spread over all rounds.
 */
export class HeartbeatRounds<Stream extends Beating> {
  readonly #rounds = Array.from({ length: HEARTBEAT_ROUNDS }, () => new Set<Stream>())
  /** The round that was returned last. */
  #current = 0

  add(stream: Stream): void {
    stream.round = Math.floor(Math.random() * HEARTBEAT_ROUNDS)
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
