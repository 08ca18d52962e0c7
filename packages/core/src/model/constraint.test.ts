import { expect, test } from "vitest";
import { aNode } from "../testing/builders.ts";
import { parseConstraint, satisfies, shortfall } from "./constraint.ts";
import type { Constraint } from "./constraint.ts";

const NODE = aNode({
  id: "abc",
  hostname: "n1",
  address: "10.1.2.3",
  role: "manager",
  labels: { compute: "true", "zone.name": "EU" },
  engineLabels: { gpu: "a100" },
});

function parsed(text: string): Constraint {
  const result = parseConstraint(text, "");
  if (!result.ok) throw new Error(result.issue.problem);
  return result.constraint;
}

test.each([
  ["node.labels.compute == true", true],
  ["node.labels.compute==TRUE", true],
  ["node.labels.compute != true", false],
  ["node.labels.zone.name == eu", true],
  ["node.labels.Compute == true", false],
  ["node.labels.missing == x", false],
  ["node.labels.missing != x", true],
  // What every object has, and no node as its label.
  ["node.labels.constructor == x", false],
  ["node.labels.toString != x", true],
  ["engine.labels.__proto__ == x", false],
  ["engine.labels.gpu == a100", true],
  ["node.id == ABC", true],
  ["node.hostname != n1", false],
  ["node.role == manager", true],
  ["NODE.ROLE == manager", true],
  ["node.platform.os == linux", true],
  ["node.platform.arch == amd64", true],
  ["node.platform.arch == x86_64", true],
  ["node.platform.arch == arm64", false],
  ["node.ip == 10.1.2.3", true],
  ["node.ip == 10.1.0.0/16", true],
  ["node.ip != 10.1.0.0/16", false],
  ["node.ip == 10.2.0.0/16", false],
])("%s is %s", (text, expected) => {
  expect(satisfies(parsed(text), NODE)).toBe(expected);
});

test.each([
  ["node.labels.compute", "no operator"],
  ["node.labels.compute = true", "no operator"],
  ["== true", "no valid key"],
  ["node labels == true", "no valid key"],
  ["node.labels.x ==", "no valid value"],
  ["node.labels.x == a;b", "no valid value"],
  ["node.colour == red", "nothing a node has"],
  ["node.labels. == red", "nothing a node has"],
  ["node.ip == 10.0.0.0/", "no range"],
  ["node.ip != 10.0.0.0/33", "no range"],
  ["node.ip == 10.0.0/8", "no range"],
  ["node.ip == fe80::/10", "no range"],
])("%s is refused with advice", (text, problem) => {
  const result = parseConstraint(text, "placement.constraints[0]");
  expect(result).toMatchObject({ ok: false, issue: { path: "placement.constraints[0]" } });
  expect(!result.ok && result.issue.problem).toContain(problem);
  expect(!result.ok && result.issue.advice).not.toBe("");
});

test("two ways to write a constraint have one canonical text", () => {
  expect(parsed("node.labels.a==b").text).toBe(parsed("  node.labels.a  ==  b ").text);
});

test("a shortfall is said in the user's words", () => {
  expect(shortfall(parsed("node.labels.compute == true"), 2)).toBe("do not have the label compute=true");
  expect(shortfall(parsed("node.role != manager"), 1)).toBe("has the role manager");
});
