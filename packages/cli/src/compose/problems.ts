import type { Variables } from "./interpolate.ts";

/** A file that is read, or a part of a project that is read alike. */
export interface Source {
  /** Its name for messages. */
  readonly name: string;
  /** Where the paths that it names begin. */
  readonly folder: string;
  /** What `${NAME}` stands for in it. */
  readonly variables: Variables;
}

/** Where something stands in a file; line and column count from 1. */
export interface Position {
  readonly source: Source;
  readonly line: number;
  readonly column: number;
}

/** A place that something can be said of. */
export interface Place {
  readonly at: Position;
  /** Path of the value, for example `services.web.ports[0]`. */
  readonly path: string;
}

/**
 * One thing of a Compose file that is refused or has no effect: where it stands, what is wrong,
 * what to do.
 */
export interface ComposeIssue {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly problem: string;
  readonly advice: string;
}

/**
 * What is read from and where it went wrong; every reader adds to it and goes on, so that all is
 * listed at once.
 */
export class Problems {
  readonly #issues: ComposeIssue[] = [];
  readonly #notes: ComposeIssue[] = [];
  readonly #spoilt = new Set<string>();
  readonly #files = new Map<string, number>();

  /** The value is refused. */
  refuse(spot: Place, problem: string, advice: string): undefined {
    if (!this.#spoilt.has(this.#key(spot))) this.#issues.push(this.#issue(spot, problem, advice));
    return undefined;
  }

  /** The value cannot even be read: it is refused, and nothing more is said about this place. */
  spoil(spot: Place, problem: string, advice: string): void {
    this.refuse(spot, problem, advice);
    this.#spoilt.add(this.#key(spot));
  }

  /** The value is legal Compose, and does not do all of what it says. */
  note(spot: Place, problem: string, advice: string): void {
    this.#notes.push(this.#issue(spot, problem, advice));
  }

  /**
   * Whether something at the path or below it is refused already, or something around it that
   * stands below `within`.
   */
  isRefused(path: string, within: string): boolean {
    return this.#issues.some(
      issue =>
        issue.path === path || isBelow(issue.path, path) || (isBelow(issue.path, within) && isBelow(path, issue.path)),
    );
  }

  /** Everything refused, in the order of the files; the same words at the same place only once. */
  issues(): readonly ComposeIssue[] {
    return this.#inOrder(this.#issues);
  }

  /** Everything that is noted, in the order of the files. */
  notes(): readonly ComposeIssue[] {
    return this.#inOrder(this.#notes);
  }

  #issue({ at, path }: Place, problem: string, advice: string): ComposeIssue {
    const { source, line, column } = at;
    if (!this.#files.has(source.name)) this.#files.set(source.name, this.#files.size);
    return { file: source.name, line, column, path, problem, advice };
  }

  #key({ at }: Place): string {
    return `${at.source.name}:${at.line}:${at.column}`;
  }

  #inOrder(issues: readonly ComposeIssue[]): readonly ComposeIssue[] {
    // Anchors are read once per use: the same place can be found wrong more than once.
    const seen = new Map(issues.map(issue => [`${issue.file}:${issue.line}:${issue.column}:${issue.problem}`, issue]));
    const rank = (issue: ComposeIssue): number => this.#files.get(issue.file) ?? 0;
    return [...seen.values()].toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
  }
}

/** Whether one path leads to a part of what the other leads to. */
function isBelow(path: string, other: string): boolean {
  return path.startsWith(other) && /^[.[]/.test(path.slice(other.length));
}

/**
 * `compose.yaml:7:5: services.web.privileged: … . Advice.`, as compilers write it, so that editors
 * can jump there.
 */
export function formatIssue(issue: ComposeIssue): string {
  const where = `${issue.file}:${issue.line}:${issue.column}`;
  return `${where}: ${issue.path === "" ? "" : `${issue.path}: `}${issue.problem}. ${issue.advice}`;
}
