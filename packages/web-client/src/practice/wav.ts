/** In samples a second. Enough for speech. */
const SAMPLE_RATE = 16_000
const HEADER_BYTES = 44

/** Converts a recording in the browser's own format to one that the analysis takes. */
export async function toWav(recorded: Blob): Promise<Blob> {
  const decoder = new OfflineAudioContext(1, 1, SAMPLE_RATE)
  const sound = await decoder.decodeAudioData(await recorded.arrayBuffer())
  const mixer = new OfflineAudioContext(1, Math.max(1, sound.length), SAMPLE_RATE)
  const source = mixer.createBufferSource()
  source.buffer = sound
  source.connect(mixer.destination)
  source.start()
  const mono = await mixer.startRendering()
  return new Blob([wavOf(mono.getChannelData(0), SAMPLE_RATE)], { type: 'audio/wav' })
}

/** Returns a WAV file of one channel with 16 bits a sample. `samples` are -1..1. */
export function wavOf(samples: Float32Array, sampleRate: number): ArrayBuffer {
  const dataBytes = samples.length * 2
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + dataBytes))
  const text = (offset: number, sign: string) =>
    [...sign].forEach((char, at) => {
      view.setUint8(offset + at, char.charCodeAt(0))
    })
  text(0, 'RIFF')
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, sampleRate, true)
  view.setUint32(28, sampleRate * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  text(36, 'data')
  view.setUint32(40, dataBytes, true)
  samples.forEach((sample, at) => {
    const clipped = Math.max(-1, Math.min(1, sample))
    view.setInt16(HEADER_BYTES + at * 2, Math.round(clipped * 32_767), true)
  })
  return view.buffer
}
