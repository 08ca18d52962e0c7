import { expect, test } from "vitest";
import { aPurpose as purpose } from "../testing/connector.ts";
import { refusedBy, selectMode, SELECTION, type Purpose } from "./selection.ts";

test.each<[string, Partial<Purpose>]>([
  ["development", { environment: "development" }],
  ["testing", { environment: "testing" }],
  ["small-production", {}],
  ["cost-sensitive", { isCostSensitive: true }],
  ["large-production", { scale: "large" }],
  ["regulatory-compliance", { isRegulated: true }],
  ["high-performance", { needsPerformance: true }],
])("The row %s decides for its purpose", (name, over) => {
  expect(selectMode(purpose(over)).name).toBe(name);
});

test("The table has seven rows: four share, three stand alone", () => {
  expect(SELECTION.map(row => row.mode).toSorted()).toEqual([
    ...["shared", "shared", "shared", "shared"],
    ...["standalone", "standalone", "standalone"],
  ]);
});

test("What may not be shared outweighs the price", () => {
  expect(selectMode(purpose({ isRegulated: true, isCostSensitive: true })).mode).toBe("standalone");
  expect(selectMode(purpose({ scale: "large", isCostSensitive: true })).name).toBe("large-production");
});

test("Only a regulated tenant is refused, and only as shared; the rule is named", () => {
  expect(refusedBy("shared", purpose({ isRegulated: true }))?.name).toBe("regulatory-compliance");
  expect(refusedBy("standalone", purpose({ isRegulated: true }))).toBeUndefined();
  expect(refusedBy("shared", purpose({ scale: "large", needsPerformance: true }))).toBeUndefined();
  expect(refusedBy("standalone", purpose({ environment: "development" }))).toBeUndefined();
});
