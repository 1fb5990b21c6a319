/** The package has no type definitions. */
declare module 'fft.js' {
  export default class FFT {
    constructor(size: number)
    createComplexArray(): number[]
    /** Fills `output` with interleaved real and imaginary parts of the first half of the spectrum. */
    realTransform(output: number[], input: ArrayLike<number>): void
  }
}
