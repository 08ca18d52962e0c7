import { expect, test } from "vitest";
import { aSpec } from "@skep/core/testing/builders.ts";
import type { Store } from "../store/store.ts";
import { refuseCycle } from "./dependency-cycle.ts";

/** A store of deployments that wait for those named. */
function storeOf(waits: Readonly<Record<string, readonly string[]>>): Pick<Store, "getDeployment"> {
  return {
    getDeployment: async id => {
      const found = waits[id];
      return found === undefined
        ? undefined
        : ({ release: { spec: specOf(id.slice("acme.".length), found) } } as never);
    },
  };
}

function specOf(name: string, on: readonly string[]) {
  return aSpec({ name, dependsOn: on.map(one => ({ name: one, condition: "started", required: true }) as const) });
}

test("deployments that would wait for each other are refused, with the way round", async () => {
  const store = storeOf({ "acme.b": ["c", "x"], "acme.c": ["b", "d"], "acme.d": ["a"] });
  await expect(refuseCycle(store, "acme", specOf("a", ["b"]))).rejects.toMatchObject({
    code: "failed_precondition",
    reason: "DEPENDENCY_CYCLE",
    message: expect.stringContaining("a → b → c → d → a"),
  });
  await refuseCycle(store, "acme", specOf("z", ["b"]));
  await refuseCycle(store, "acme", specOf("a", ["nobody"]));
  await expect(refuseCycle(store, "acme", specOf("a", ["a"]))).rejects.toMatchObject({ reason: "DEPENDENCY_CYCLE" });
});
