import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@bigtech/testkit'
import { control, type ProcessName } from '../e2e/control.ts'
import type { ProbeRules, Rules } from './rules.ts'
import { openVirtualAddress, type VirtualAddress } from './virtual-address.ts'

/** Time until every node uses changed endpoints of a Service. */
const PROPAGATION_MS = 1_000
const READY_WITHIN_MS = 120_000
/** The stack starts at most this number of copies of a process. */
const HIGHEST_COPY = 9

interface Pod {
  readonly name: ProcessName
  readonly port: number
  isReady: boolean
  isTerminating: boolean
}

/** Stands for a Deployment with its Service: processes of the running stack that follow the rules of the manifests. */
export class Deployment {
  /** Pods that needed longer than their grace period, and would have been killed. */
  readonly killed: string[] = []
  readonly #rules: Rules
  readonly #pods = new Set<Pod>()
  readonly #address: VirtualAddress
  readonly #terminations: Promise<void>[] = []
  readonly #stopping = new AbortController()

  private constructor(rules: Rules, address: VirtualAddress) {
    this.#rules = rules
    this.#address = address
  }

  /** Stops the process of the stack, takes its port as the Service's, and starts the pods behind it. */
  static async create(rules: Rules): Promise<Deployment> {
    const { url } = await control(rules.service, 'stop')
    const address = await openVirtualAddress(Number(new URL(url as string).port))
    const deployment = new Deployment(rules, address)
    for (let count = 0; count < rules.replicas; count++) await deployment.#start()
    await deployment.#untilReady(rules.replicas)
    return deployment
  }

  /** Replaces every pod, like `kubectl rollout restart`; resolves when the old ones have ended. */
  async roll(): Promise<void> {
    const { replicas, maxSurge, maxUnavailable } = this.#rules
    for (const old of [...this.#pods]) {
      if (this.#running().length < replicas + maxSurge) await this.#start()
      await this.#untilReady(replicas - maxUnavailable + 1)
      this.#terminations.push(this.#terminate(old))
    }
    while (this.#running().length < replicas) await this.#start()
    await this.#untilReady(replicas)
    await Promise.all(this.#terminations)
  }

  /** Ends all pods and gives the port back to the process of the stack. */
  async remove(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#pods].map(({ name }) => control(name, 'stop')))
    await this.#address.close()
    await control(this.#rules.service, 'start')
  }

  /** Pods that count as replicas: those that terminate do not. */
  #running(): Pod[] {
    return [...this.#pods].filter(({ isTerminating }) => !isTerminating)
  }

  async #untilReady(count: number): Promise<void> {
    await waitFor(() => this.#running().filter(({ isReady }) => isReady).length >= count, {
      timeoutMs: READY_WITHIN_MS,
      what: `${count} ready pods of ${this.#rules.service}`,
    })
  }

  async #start(): Promise<void> {
    const name = this.#freeName()
    const { url } = await control(name, 'start')
    const pod: Pod = { name, port: Number(new URL(url as string).port), isReady: false, isTerminating: false }
    this.#pods.add(pod)
    void this.#probe(pod)
  }

  #freeName(): ProcessName {
    const used = new Set([...this.#pods].map(({ name }) => name))
    for (let copy = 2; copy <= HIGHEST_COPY; copy++) {
      const name: ProcessName = `${this.#rules.service}#${copy}`
      if (!used.has(name)) return name
    }
    throw new Error(`${this.#rules.service} has too many copies`)
  }

  /** Probes a pod like the kubelet until it terminates. */
  async #probe(pod: Pod): Promise<void> {
    const { startup, readiness } = this.#rules
    while (!(await answers(pod, startup)) && !this.#isOver(pod)) await sleep(startup.periodMs)
    let failures = 0
    while (!this.#isOver(pod)) {
      failures = (await answers(pod, readiness)) ? 0 : failures + 1
      const isReady = failures === 0 || (pod.isReady && failures < readiness.failureThreshold)
      if (isReady !== pod.isReady && !pod.isTerminating) {
        pod.isReady = isReady
        void this.#publish()
      }
      await sleep(readiness.periodMs)
    }
  }

  #isOver({ isTerminating }: Pod): boolean {
    return isTerminating || this.#stopping.signal.aborted
  }

  /** Endpoints are removed and `preStop` begins at the same time; then SIGTERM. */
  async #terminate(pod: Pod): Promise<void> {
    const { preStopMs, graceMs } = this.#rules
    pod.isTerminating = true
    void this.#publish()
    await sleep(preStopMs)
    const began = performance.now()
    await control(pod.name, 'stop')
    if (performance.now() - began > graceMs - preStopMs) this.killed.push(pod.name)
    this.#pods.delete(pod)
  }

  async #publish(): Promise<void> {
    await sleep(PROPAGATION_MS)
    this.#address.endpoints = this.#running()
      .filter(({ isReady }) => isReady)
      .map(({ port }) => port)
  }
}

async function answers({ port }: Pod, { path, timeoutMs }: ProbeRules): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(timeoutMs),
    })
    return response.ok
  } catch {
    return false
  }
}
