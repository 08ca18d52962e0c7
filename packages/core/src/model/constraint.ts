import type { Issue } from "../error.ts";
import type { Labels } from "./labels.ts";
import type { Node } from "./node.ts";

/** What of a node a constraint looks at. */
export type Subject =
  | { readonly kind: "id" | "hostname" | "ip" | "role" | "os" | "arch" }
  | { readonly kind: "label" | "engine-label"; readonly key: string };

/** One parsed placement constraint. */
export interface Constraint {
  /** The constraint written the one canonical way, `node.labels.compute == true`. */
  readonly text: string;
  readonly subject: Subject;
  readonly equal: boolean;
  readonly value: string;
}

/** A constraint, or what is wrong with it. */
export type ParsedConstraint =
  { readonly ok: true; readonly constraint: Constraint } | { readonly ok: false; readonly issue: Issue };

const KEY = /^[a-z_][a-z0-9\-_.]+$/i;
const VALUE = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;
const NODE_LABEL = "node.labels.";
const ENGINE_LABEL = "engine.labels.";

const PLAIN: Readonly<Record<string, Subject>> = {
  "node.id": { kind: "id" },
  "node.hostname": { kind: "hostname" },
  "node.ip": { kind: "ip" },
  "node.role": { kind: "role" },
  "node.platform.os": { kind: "os" },
  "node.platform.arch": { kind: "arch" },
};

/**
 * Reads a constraint in Swarm's syntax: `<key> == <value>` or `<key> != <value>`, spaces optional.
 * Like Swarm it splits at the first `==`, else at the first `!=`, and compares values without
 * regard to case.
 */
export function parseConstraint(text: string, path: string): ParsedConstraint {
  const operator = text.includes("==") ? "==" : text.includes("!=") ? "!=" : undefined;
  const refuse = (problem: string, advice: string): ParsedConstraint => ({
    ok: false,
    issue: { path, problem, advice },
  });
  if (operator === undefined) {
    return refuse(`the constraint "${text}" has no operator`, "write `<key> == <value>` or `<key> != <value>`");
  }
  const at = text.indexOf(operator);
  const key = text.slice(0, at).trim();
  const value = text.slice(at + operator.length).trim();
  if (!KEY.test(key))
    return refuse(
      `the constraint "${text}" has no valid key`,
      "put a key such as node.labels.compute before the operator",
    );
  if (!VALUE.test(value))
    return refuse(
      `the constraint "${text}" has no valid value`,
      "put a value of letters, digits and -_.:/ after the operator",
    );
  const subject = subjectOf(key);
  if (subject?.kind === "ip" && value.includes("/") && !isRange(value))
    return refuse(`the constraint "${text}" has no range of addresses`, "write one such as 10.0.0.0/8");
  if (subject === undefined) {
    return refuse(
      `the constraint "${text}" looks at "${key}", which is nothing a node has`,
      `use one of ${Object.keys(PLAIN).join(", ")}, node.labels.<name>, engine.labels.<name>`,
    );
  }
  return {
    ok: true,
    constraint: {
      text: `${canonicalKey(key, subject)} ${operator} ${value}`,
      subject,
      equal: operator === "==",
      value,
    },
  };
}

/**
 * Whether a node satisfies the constraint. A label that is not there counts as the empty text, as
 * in Swarm.
 */
export function satisfies(constraint: Constraint, node: Node): boolean {
  return holds(constraint.subject, constraint.value, node) === constraint.equal;
}

/**
 * What is true of `count` nodes that do not satisfy the constraint, for example "do not have the
 * label compute=true".
 */
export function shortfall(constraint: Constraint, count: number): string {
  const { subject, equal, value } = constraint;
  const many = count !== 1;
  if (subject.kind === "label" || subject.kind === "engine-label") {
    const what = subject.kind === "label" ? "label" : "engine label";
    if (equal) return `${many ? "do" : "does"} not have the ${what} ${subject.key}=${value}`;
    return `${many ? "have" : "has"} the ${what} ${subject.key}=${value}`;
  }
  const noun = {
    id: "id",
    hostname: "hostname",
    ip: "address",
    role: "role",
    os: "operating system",
    arch: "architecture",
  }[subject.kind];
  if (equal) return `${many ? "do" : "does"} not have the ${noun} ${value}`;
  return `${many ? "have" : "has"} the ${noun} ${value}`;
}

function subjectOf(key: string): Subject | undefined {
  const lower = key.toLowerCase();
  if (lower.startsWith(NODE_LABEL) && key.length > NODE_LABEL.length)
    return { kind: "label", key: key.slice(NODE_LABEL.length) };
  if (lower.startsWith(ENGINE_LABEL) && key.length > ENGINE_LABEL.length)
    return { kind: "engine-label", key: key.slice(ENGINE_LABEL.length) };
  return PLAIN[lower];
}

function canonicalKey(key: string, subject: Subject): string {
  if (subject.kind === "label") return NODE_LABEL + subject.key;
  if (subject.kind === "engine-label") return ENGINE_LABEL + subject.key;
  return key.toLowerCase();
}

function holds(subject: Subject, value: string, node: Node): boolean {
  switch (subject.kind) {
    case "id":
      return same(node.id, value);
    case "hostname":
      return same(node.hostname, value);
    case "ip":
      return value.includes("/") ? isWithin(node.address, value) : node.address === value;
    case "role":
      return same(node.role, value);
    case "os":
      return same(node.os, value);
    case "arch":
      return architecture(node.architecture) === architecture(value);
    case "label":
      return same(labelOf(node.labels, subject.key), value);
    case "engine-label":
      return same(labelOf(node.engineLabels, subject.key), value);
  }
}

/** Every object has a `constructor` and a `toString`, which are nobody's labels. */
function labelOf(labels: Labels, key: string): string {
  return Object.hasOwn(labels, key) ? labels[key]! : "";
}

function same(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase();
}

/** Engines say x86_64 and aarch64 where images say amd64 and arm64: both names mean one thing. */
function architecture(name: string): string {
  const lower = name.toLowerCase();
  if (lower === "x86_64" || lower === "x86-64") return "amd64";
  return lower === "aarch64" ? "arm64" : lower;
}

/** Whether the text is a range of IPv4 addresses such as 10.0.0.0/8. */
function isRange(text: string): boolean {
  const [base = "", length = "", ...more] = text.split("/");
  return more.length === 0 && ipv4(base) !== undefined && /^\d{1,2}$/.test(length) && Number(length) <= 32;
}

/** Whether an IPv4 address lies in a range; false where either is not IPv4. */
function isWithin(address: string, range: string): boolean {
  const [base = "", length = ""] = range.split("/");
  const a = ipv4(address);
  const b = ipv4(base);
  if (a === undefined || b === undefined || !isRange(range)) return false;
  const size = 2 ** (32 - Number(length));
  return Math.floor(a / size) === Math.floor(b / size);
}

function ipv4(text: string): number | undefined {
  const parts = text.split(".").map(part => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some(part => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/**
 * Stands for a constraint that cannot be read: no node satisfies it, and its text is what the
 * refusal shows.
 */
export function unreadableConstraint(text: string): Constraint {
  // A node id never contains a space, so nothing equals this value.
  return { text, subject: { kind: "id" }, equal: true, value: " " };
}
