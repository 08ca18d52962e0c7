import { SkepError } from "@skep/core/error.ts";
import type { Issue } from "@skep/core/error.ts";

/** Requests that are under way at the same time. */
const AT_ONCE = 8;

/**
 * Runs over all items, several at a time, and answers in their order. What fails does not keep the
 * others from being done.
 * @throws when all are done, the only failure as it is, and several as one SkepError that tells
 * each.
 */
export async function inParallel<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      try {
        results[index] = await run(items[index] as T);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  if (failures.length > 0) throw asOne(failures, items.length);
  return results;
}

function asOne(failures: readonly unknown[], of: number): unknown {
  const told = failures.filter(failure => failure instanceof SkepError);
  const [first] = told;
  const isOne = new Set(told.map(({ message }) => message)).size === 1;
  // A defect is told as such, and the same words from each, as where nothing answers, are told
  // once.
  if (first === undefined || told.length < failures.length || isOne) return failures[0];
  return new SkepError(first.code, first.reason, `${failures.length} of ${of} failed, the others are done:`, {
    issues: told.flatMap(issuesOf),
  });
}

function issuesOf({ message, details, issues }: SkepError): readonly Issue[] {
  return [{ path: "", problem: message, advice: details["advice"] ?? "" }, ...issues];
}
