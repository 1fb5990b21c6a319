export interface ProblemDefinition {
  readonly status: number
  /** The same sentence at every occurrence (RFC 9457, 3.1.3). */
  readonly title: string
  /** What happened and what a client does about it. For the documentation. */
  readonly meaning: string
}

export type ProblemTable = Readonly<Record<string, ProblemDefinition>>
