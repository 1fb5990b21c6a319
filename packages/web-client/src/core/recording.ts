/** A recorded sound in the outbox's format. */
export interface Sound {
  readonly name: string
  readonly mime: string
  readonly bytes: Blob
}

const formats = [
  { mime: 'audio/webm', name: 'voice.webm' },
  { mime: 'audio/mp4', name: 'voice.m4a' },
] as const

const LEVEL_EVERY_MS = 100

/** A microphone recording, from `start` to `stop`. */
export class Recording {
  readonly #recorder: MediaRecorder
  readonly #microphone: MediaStream
  readonly #context: AudioContext
  readonly #timer: ReturnType<typeof setInterval>
  readonly #chunks: Blob[] = []
  readonly #name: string

  private constructor(microphone: MediaStream, onLevel: (level: number, seconds: number) => void) {
    const format = formats.find(({ mime }) => MediaRecorder.isTypeSupported(mime)) ?? formats[0]
    this.#name = format.name
    this.#microphone = microphone
    this.#recorder = new MediaRecorder(microphone, { mimeType: format.mime, audioBitsPerSecond: 64_000 })
    this.#recorder.ondataavailable = ({ data }) => this.#chunks.push(data)
    this.#context = new AudioContext()
    const level = levelOf(this.#context, microphone)
    const startedAt = performance.now()
    this.#timer = setInterval(() => onLevel(level(), (performance.now() - startedAt) / 1_000), LEVEL_EVERY_MS)
    this.#recorder.start()
  }

  /**
   * Requests the microphone and records.
   *
   * @param onLevel called ten times a second with the loudness, 0..100, and the seconds since the start
   * @throws DOMException NotAllowedError when the user declines, NotFoundError without a microphone
   */
  static async start(onLevel: (level: number, seconds: number) => void): Promise<Recording> {
    // Absent on pages without HTTPS.
    if (!navigator.mediaDevices) throw new DOMException('No microphone on this page.', 'NotFoundError')
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: true })
    return new Recording(microphone, onLevel)
  }

  /** Ends the recording. Undefined when it is empty. */
  async stop(): Promise<Sound | undefined> {
    const ended = new Promise((resolve) => this.#recorder.addEventListener('stop', resolve, { once: true }))
    this.#recorder.stop()
    await ended
    this.discard()
    const mime = this.#recorder.mimeType.split(';', 1)[0] ?? ''
    const bytes = new Blob(this.#chunks, { type: mime })
    return bytes.size > 0 ? { name: this.#name, mime, bytes } : undefined
  }

  /** Releases the microphone. Harmless after `stop`. */
  discard(): void {
    clearInterval(this.#timer)
    for (const track of this.#microphone.getTracks()) track.stop()
    if (this.#context.state !== 'closed') void this.#context.close()
  }
}

/** Returns a function that measures the current loudness, 0..100. */
function levelOf(context: AudioContext, microphone: MediaStream): () => number {
  const analyser = context.createAnalyser()
  context.createMediaStreamSource(microphone).connect(analyser)
  const samples = new Uint8Array(analyser.fftSize)
  return () => {
    analyser.getByteTimeDomainData(samples)
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample - 128)), 0)
    return Math.max(4, Math.round((peak / 128) * 100))
  }
}
