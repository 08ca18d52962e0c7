import type { Issue } from "../error.ts";
import { isSocketFilter, MOST_SCOPES } from "./scope.ts";

/** What a token of a workspace is issued for. */
export interface TokenRequest {
  readonly subject: string;
  /** Filters that cover whatever its sockets may hear, below the workspace. */
  readonly topics: readonly string[];
  readonly lifetimeMs: number;
}

const LONGEST_SUBJECT = 200;
const SHORTEST_MS = 1_000;
const LONGEST_MS = 30 * 86_400_000;

/** What is wrong with a request for a token; empty where it can be issued. */
export function tokenIssues({ subject, topics, lifetimeMs }: TokenRequest): readonly Issue[] {
  const issues: Issue[] = [];
  if (subject === "" || subject.length > LONGEST_SUBJECT)
    issues.push({ path: "subject", problem: "it has no fitting length", advice: "use 1 to 200 characters" });
  if (!areTopics(topics)) {
    const advice = `name 1 to ${MOST_SCOPES} filters such as devices/+/telemetry/#`;
    issues.push({ path: "topics", problem: "they are no filters of a workspace", advice });
  }
  if (!(lifetimeMs >= SHORTEST_MS && lifetimeMs <= LONGEST_MS))
    issues.push({ path: "lifetime", problem: "it is too short or too long", advice: "use 1 s to 30 days" });
  return issues;
}

/** Whether these can be the topics of a token. */
export function areTopics(topics: unknown): topics is readonly string[] {
  if (!Array.isArray(topics) || topics.length === 0 || topics.length > MOST_SCOPES) return false;
  return topics.every(topic => typeof topic === "string" && isSocketFilter(topic));
}
