import { expect, it } from "vitest";
import { attachment, message } from "../testing/states.ts";
import { readState } from "./read-state.ts";

it("lets nobody ask for names but who is attached here, as the tenant that he is of", () => {
  const asker = { address: "10.128.0.2", tenantId: "a", project: "shop", networks: ["shop_default"] };
  const names = { askers: [asker, { ...asker, tenantId: "b" }, { ...asker, address: "10.128.0.9" }], tenants: [] };
  const { state, faults } = readState(message({ attachments: [attachment({})], names }));
  expect(state.names.askers).toEqual([asker]);
  expect(faults.map(one => one.reason)).toEqual(["names-invalid", "names-invalid"]);
  expect(readState(message({})).state.names).toEqual({ askers: [], tenants: [] });
});
