import { describe, expect, it } from "vitest";
import type { Attempt } from "./attempt.ts";

/**
 * A test for each attempt: what `act` answers has the expected answer in it; `unharmed` then looks
 * at the neighbour.
 */
export function describeAttempts<Input>(
  kind: string,
  attempts: readonly Attempt<Input>[],
  act: (input: Input) => Promise<string>,
  unharmed: () => Promise<void> = () => Promise.resolve(),
): void {
  describe(kind, () => {
    it.each(attempts)("$attempt: $answer", async ({ input, answer }) => {
      expect(answer).not.toBe("");
      expect(await act(input)).toContain(answer);
      await unharmed();
    });
  });
}
