/** Counts of a whole run, with the names of what failed and the reasons of what was skipped. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  readonly failures: string[];
  readonly reasons: string[];
}

/** The part of vitest's JSON report that is counted. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly meta?: { readonly skipReason?: string };
    }[];
  }[];
}

/** Nothing counted yet. */
export function emptyTally(): Tally {
  return { passed: 0, failed: 0, skipped: 0, failures: [], reasons: [] };
}

/** Adds one vitest report: a file that failed to load counts as one failure. */
export function addReport(tally: Tally, project: string, report: VitestReport): void {
  for (const file of report.testResults) {
    if (file.status === "failed" && !file.assertionResults.some(test => test.status === "failed")) {
      tally.failed += 1;
      tally.failures.push(`${project}: ${file.name}: ${file.message ?? "failed outside of a test"}`);
    }
    for (const test of file.assertionResults) {
      if (test.status === "passed") tally.passed += 1;
      else if (test.status === "failed") {
        tally.failed += 1;
        tally.failures.push(`${project}: ${test.fullName}`);
      } else {
        tally.skipped += 1;
        tally.reasons.push(`${project}: ${test.fullName}: ${test.meta?.skipReason ?? "no reason given in the test"}`);
      }
    }
  }
}

/**
 * The closing lines: each failure, each skip with its reason, and last the one line that counts.
 */
export function summary(tally: Tally): string[] {
  return [
    "",
    ...tally.failures.map(name => `failed  ${name}`),
    ...tally.reasons.map(reason => `skipped ${reason}`),
    `${tally.passed} passed, ${tally.failed} failed${tally.skipped > 0 ? `, ${tally.skipped} skipped` : ""}`,
  ];
}
