import { lookup } from "node:dns";
import { MongoClient } from "mongodb";
import { expect, test } from "vitest";
import { DEFAULT_POOL, optionsOf, STORED } from "./connection.ts";

const LOOSE =
  "mongodb://db.example.com/?retryWrites=false&maxPoolSize=500&socketTimeoutMS=1&serverSelectionTimeoutMS=1";

test("a client has the defaults of R93, R94 and R95, whatever its address says", () => {
  const { options } = new MongoClient(LOOSE, optionsOf({ url: LOOSE, poolSize: DEFAULT_POOL }));
  expect(options).toMatchObject({ maxPoolSize: 10, serverSelectionTimeoutMS: 5_000, socketTimeoutMS: 45_000 });
  expect(options).toMatchObject({ retryWrites: true, retryReads: true, ignoreUndefined: true });
  expect(STORED).toMatchObject({ w: "majority", journal: true });
});

test("only a client of a tenant's own address resolves names by the guard", async () => {
  const own = new MongoClient(LOOSE, optionsOf({ url: LOOSE, poolSize: 1, allowedHosts: [] })).options.lookup;
  expect(new MongoClient(LOOSE, optionsOf({ url: LOOSE, poolSize: 1 })).options.lookup).toBeUndefined();
  expect(own).not.toBe(lookup);
  const refused = new Promise(resolve => own?.("localhost", {}, error => resolve(error?.message)));
  expect(await refused).toBe("localhost leads into the platform's own network");
});
