import { aConnector } from "@skep/core/testing/connector.ts";
import { expect, it } from "vitest";
import type { Engines } from "./engines.ts";
import { removeData } from "./remove-data.ts";

/** A workspace with a database of its tenant's own: only its files are removed. */
const connector = aConnector({ id: "fleet" }, {}, { database: { size: 1, url: "mongodb://db.example" } });

/** Files in memory, and what was done to them. */
function withFiles(): { readonly engines: Engines; readonly done: string[] } {
  const done: string[] = [];
  const note = (what: string) => () => Promise.resolve(void done.push(what));
  const host = { open: () => Promise.resolve({ removeAll: note("removed"), close: note("closed") }) };
  return { engines: { files: { host, regions: ["main"] } } as unknown as Engines, done };
}
const lease = (mayRead: boolean) => ({ mayRead: () => mayRead });

it("removes the files of a workspace as its owner", async () => {
  const { engines, done } = withFiles();
  await removeData(engines, connector, lease(true));
  expect(done).toEqual(["removed", "closed"]);
});

it("removes nothing where another one is the owner", async () => {
  const { engines, done } = withFiles();
  await expect(removeData(engines, connector, lease(false))).rejects.toThrow("is not the owner of workspace fleet");
  expect(done).toEqual(["closed"]);
});

it("has nothing to remove where there are no files", async () => {
  await expect(removeData({} as Engines, connector, lease(true))).resolves.toBeUndefined();
});
