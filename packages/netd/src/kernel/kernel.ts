import type { Plane } from "../plan/plane.ts";
import type { Step } from "../plan/step.ts";
import type { Survey } from "../plan/survey.ts";

/** The network of a node as a port. */
export interface Kernel {
  /** What there is: of ours, and beside it. */
  look(): Promise<Sight>;
  /**
   * Takes the steps in their order and goes on after one that fails. Answers those that failed.
   * Steps that follow each other and concern nftables alone are one transaction each.
   */
  carryOut(steps: readonly Step[]): Promise<readonly Failure[]>;
  /**
   * Calls back soon after something changed, whoever changed it. A hint: it may come for nothing.
   */
  watch(onChange: () => void): { close(): void };
}

/** What a look finds. */
export interface Sight {
  readonly plane: Plane;
  readonly survey: Survey;
}

/** A step that did not work, and the system's words. */
export interface Failure {
  readonly step: Step;
  readonly because: string;
}
