import fc from "fast-check";
import { expect, it } from "vitest";
import { createSortedRecords } from "./sorted-records.ts";

const key = fc.string({ maxLength: 2 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key, value: fc.nat(9) }),
  fc.record({ kind: fc.constant("delete" as const), key }),
  fc.record({ kind: fc.constant("list" as const) }),
);

it("the records are those of a map, in the order of their keys, whatever came and went in between", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const records = createSortedRecords<number>();
      const model = new Map<string, number>();
      const inOrder = (): number[] => [...model.keys()].sort().map(one => model.get(one)!);
      for (const one of [...steps, { kind: "list" as const }]) {
        if (one.kind === "set") {
          records.set(one.key, one.value);
          model.set(one.key, one.value);
        } else if (one.kind === "delete") {
          records.delete(one.key);
          model.delete(one.key);
        } else expect(records.list()).toEqual(inOrder());
      }
    }),
  );
});

it("a list is the very same one until something changes, and stays as it was afterwards", () => {
  const records = createSortedRecords<string>();
  records.set("b", "B");
  const before = records.list();
  expect(records.list()).toBe(before);
  records.set("b", "B2");
  records.set("a", "A");
  expect(records.list()).toEqual(["A", "B2"]);
  expect(before).toEqual(["B"]);
  const after = records.list();
  records.delete("none");
  expect(records.list()).toBe(after);
});
