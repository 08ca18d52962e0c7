/** Where something stands in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * One thing of a Compose file that is refused or has no effect: where it stands, what is wrong,
 * what to do.
 */
export interface ComposeIssue extends Position {
  readonly file: string;
  /** Path of the value, for example `services.web.ports[0]`. */
  readonly path: string;
  readonly problem: string;
  readonly advice: string;
}

/**
 * What is read from and where it went wrong; every reader adds to it and goes on, so that all is
 * listed at once.
 */
export class Problems {
  readonly file: string;
  readonly #issues: ComposeIssue[] = [];
  readonly #notes: ComposeIssue[] = [];
  readonly #spoilt = new Set<string>();

  constructor(file: string) {
    this.file = file;
  }

  /** The value is refused. */
  refuse(spot: { readonly at: Position; readonly path: string }, problem: string, advice: string): undefined {
    if (!this.#spoilt.has(`${spot.at.line}:${spot.at.column}`))
      this.#issues.push({ file: this.file, ...spot.at, path: spot.path, problem, advice });
    return undefined;
  }

  /** The value cannot even be read: it is refused, and nothing more is said about this place. */
  spoil(spot: { readonly at: Position; readonly path: string }, problem: string, advice: string): void {
    this.refuse(spot, problem, advice);
    this.#spoilt.add(`${spot.at.line}:${spot.at.column}`);
  }

  /** The value is legal Compose, and has no effect here. */
  note(spot: { readonly at: Position; readonly path: string }, problem: string, advice: string): void {
    this.#notes.push({ file: this.file, ...spot.at, path: spot.path, problem, advice });
  }

  /** Everything refused, in the order of the file; the same words at the same place only once. */
  issues(): readonly ComposeIssue[] {
    return inOrder(this.#issues);
  }

  /** Everything that has no effect, in the order of the file. */
  notes(): readonly ComposeIssue[] {
    return inOrder(this.#notes);
  }
}

/**
 * `compose.yaml:7:5: services.web.privileged: … . Advice.`, as compilers write it, so that editors
 * can jump there.
 */
export function formatIssue(issue: ComposeIssue): string {
  const where = `${issue.file}:${issue.line}:${issue.column}`;
  return `${where}: ${issue.path === "" ? "" : `${issue.path}: `}${issue.problem}. ${issue.advice}`;
}

function inOrder(issues: readonly ComposeIssue[]): readonly ComposeIssue[] {
  // Anchors are read once per use: the same place can be found wrong more than once.
  const seen = new Map(issues.map(issue => [`${issue.line}:${issue.column}:${issue.problem}`, issue]));
  return [...seen.values()].toSorted((a, b) => a.line - b.line || a.column - b.column);
}
