import type { Engine } from "./engine.ts";

/** What the suite needs to know of the engine it runs against. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /** An image that is present and has `sleep` and `sh`. */
  readonly image: string;
  /** An image that exists nowhere. */
  readonly unknownImage: string;
  /** Host ports that are free on the node. */
  readonly ports: readonly [number, number];
  /** Lets time pass until the promise ends: at once on real time, by advancing on virtual time. */
  within<T>(promise: Promise<T>): Promise<T>;
  /** What the container asks for names; only an engine that is real has it. */
  readonly resolvConf?: (containerId: string) => Promise<string>;
  /** Removes the container without the port. */
  removeOutside(containerId: string): Promise<void>;
  close(): Promise<void>;
}
