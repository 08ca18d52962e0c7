import type { Issue } from "../error.ts";
import { check, checkWhole } from "../model/validate-rules.ts";
import { isDeviceId } from "../workspace/topic.ts";
import type { Area, Condition } from "./condition.ts";
import { isPath } from "./path.ts";
import type { Action, Rule } from "./rule.ts";
import { checkReference } from "./validate-schema.ts";
import { isPoint, type Point } from "./value.ts";

const MOST_DEPTH = 8;
const MOST_CONDITIONS = 64;
const MOST_ACTIONS = 16;
const MOST_CORNERS = 200;
const DAY_MS = 86_400_000;
const LONGEST_SILENCE_MS = 90 * DAY_MS;
const FARTHEST_M = 20_000_000;
const MOST_PAYLOAD = 4096;

/** Everything that is wrong with a rule, by the path of the field; empty for a good one. */
export function validateRule(rule: Rule): readonly Issue[] {
  const issues: Issue[] = [];
  checkReference(issues, "id", rule.id);
  for (const key of ["category", "type"] as const) {
    const good = /^[A-Za-z0-9._:-]{0,128}$/.test(rule[key]);
    check(
      issues,
      key,
      good,
      `"${rule[key].slice(0, 64)}" is no level of a topic`,
      "use letters, digits, dots and dashes, or nothing",
    );
  }
  const count = countOf(rule.when, MOST_DEPTH);
  check(
    issues,
    "when",
    count <= MOST_CONDITIONS,
    "it is too large or too deep",
    `use ${MOST_CONDITIONS} conditions, ${MOST_DEPTH} deep`,
  );
  if (count <= MOST_CONDITIONS) checkCondition(issues, "when", rule.when);
  if (rule.repeat.kind === "every") checkWhole(issues, "repeat.ms", rule.repeat.ms, 1000, DAY_MS);
  checkActions(issues, "actions", rule.actions);
  checkActions(issues, "clearActions", rule.clearActions);
  const does = rule.actions.length + rule.clearActions.length;
  check(issues, "actions", does > 0, "the rule does nothing", "say what is to be done");
  return issues;
}

/** How many conditions there are; infinite where they are deeper than may be. */
function countOf(condition: Condition, depth: number): number {
  if (depth === 0) return Infinity;
  if (condition.kind === "not") return 1 + countOf(condition.of, depth - 1);
  if (condition.kind !== "all" && condition.kind !== "any") return 1;
  return 1 + condition.of.reduce((sum, one) => sum + countOf(one, depth - 1), 0);
}

function checkCondition(issues: Issue[], path: string, condition: Condition): void {
  if ("field" in condition) {
    const good = isPath(condition.field);
    check(
      issues,
      `${path}.field`,
      good,
      `"${condition.field.slice(0, 64)}" is no path`,
      "name a typed field of the schema",
    );
  }
  switch (condition.kind) {
    case "threshold": {
      const isOrder = condition.is !== "==" && condition.is !== "!=";
      const good = !isOrder || typeof condition.value === "number";
      check(issues, `${path}.value`, good, `${condition.is} compares numbers only`, "use a number, or == and !=");
      const isClear =
        condition.clear === undefined || (isOrder && isBeyond(condition.is, condition.clear, condition.value));
      check(
        issues,
        `${path}.clear`,
        isClear,
        "it has to lie where the condition no longer holds",
        "move it beyond the value",
      );
      return;
    }
    case "rate":
      checkWhole(issues, `${path}.perMs`, condition.perMs, 1, DAY_MS);
      return;
    case "absence":
      checkWhole(issues, `${path}.forMs`, condition.forMs, 1000, LONGEST_SILENCE_MS);
      return;
    case "window":
      checkWhole(issues, `${path}.overMs`, condition.overMs, 1000, DAY_MS);
      return;
    case "geofence":
      checkArea(issues, `${path}.area`, condition.area);
      return;
    case "all":
    case "any":
      check(issues, `${path}.of`, condition.of.length > 0, "it has no conditions", "give it at least one");
      condition.of.forEach((one, index) => checkCondition(issues, `${path}.of[${index}]`, one));
      return;
    case "not":
      checkCondition(issues, `${path}.of`, condition.of);
      return;
    case "always":
    case "change":
      return;
  }
}

/** With hysteresis the clearing bound holds the condition longer than its value would. */
function isBeyond(is: string, clear: number, value: unknown): boolean {
  if (typeof value !== "number" || !Number.isFinite(clear)) return false;
  return is.startsWith(">") ? clear <= value : clear >= value;
}

function checkArea(issues: Issue[], path: string, area: Area): void {
  if (area.kind === "circle") {
    check(issues, `${path}.centre`, isOnEarth(area.centre), "it is no place on the earth", "use degrees");
    const good = area.radiusM > 0 && area.radiusM <= FARTHEST_M;
    check(issues, `${path}.radiusM`, good, `${area.radiusM} is out of range`, `use up to ${FARTHEST_M} metres`);
    return;
  }
  const count = area.corners.length;
  const some = `use 3 to ${MOST_CORNERS}`;
  check(issues, `${path}.corners`, count >= 3 && count <= MOST_CORNERS, `there are ${count} corners`, some);
  check(issues, `${path}.corners`, area.corners.every(isOnEarth), "one is no place on the earth", "use degrees");
}

function isOnEarth(point: Point): boolean {
  return isPoint(point) && Math.abs(point.lat) <= 90 && Math.abs(point.lon) <= 180;
}

function checkActions(issues: Issue[], path: string, actions: readonly Action[]): void {
  check(issues, path, actions.length <= MOST_ACTIONS, `there are ${actions.length}`, `use at most ${MOST_ACTIONS}`);
  actions.forEach((action, index) => {
    const at = `${path}[${index}]`;
    switch (action.kind) {
      case "store":
        return checkReference(issues, `${at}.collection`, action.collection);
      case "event":
        return checkReference(issues, `${at}.topic`, action.topic);
      case "webhook":
        return checkReference(issues, `${at}.target`, action.target);
      case "command": {
        checkReference(issues, `${at}.type`, action.type);
        const { deviceId } = action;
        const isNamed = deviceId === undefined || isDeviceId(deviceId);
        check(
          issues,
          `${at}.deviceId`,
          isNamed,
          "it is the id of no device",
          "use one level of a topic, or leave it out",
        );
        const { length } = JSON.stringify(action.payload);
        const most = `use at most ${MOST_PAYLOAD}`;
        check(issues, `${at}.payload`, length <= MOST_PAYLOAD, `it has ${length} characters`, most);
        return;
      }
    }
  });
}
