import { createRecordingLog } from "@skep/kit/log.ts";
import { expect, test } from "vitest";
import { createImageRights, type ImageRights } from "./image-rights.ts";
import { createKeptSet, createMemoryMemo } from "./memo.ts";
import { createRegistries } from "./registry-auth.ts";
import { aContainer, anInstance, aSpec } from "../testing/builders.ts";

const IMAGE = "registry.example.com/web:1";
const registries = createRegistries(
  JSON.stringify({ tenants: { acme: { auths: { "registry.example.com": { username: "u", password: "p" } } } } }),
);

function withheld(rights: ImageRights, tenantId: string, image = IMAGE): boolean {
  const spec = aSpec({ containers: [aContainer({ image })] });
  return rights.withheld([anInstance({ tenantId, spec })]).length > 0;
}

test("what a registry gave before says nothing once the name leads to another content", () => {
  const rights = createImageRights(createKeptSet(createMemoryMemo(), [], createRecordingLog()), registries);
  rights.granted("mmm", IMAGE, "sha256:open", false);
  expect(withheld(rights, "zzz")).toBe(false);
  rights.granted("acme", IMAGE, "sha256:open", true);
  expect(withheld(rights, "zzz")).toBe(false);
  rights.granted("acme", IMAGE, "sha256:private", true);
  expect([withheld(rights, "acme"), withheld(rights, "mmm"), withheld(rights, "zzz")]).toEqual([false, true, true]);
});

test("an image that is here for an unknown reason is withheld where a tenant has credentials for its registry", () => {
  const rights = createImageRights(createKeptSet(createMemoryMemo(), [], createRecordingLog()), registries);
  expect([withheld(rights, "acme"), withheld(rights, "mmm")]).toEqual([true, true]);
  expect(withheld(rights, "mmm", "nginx")).toBe(false);
});

test("what was pulled with a tenant's credentials stays the tenant's after they were taken away", () => {
  const kept = createKeptSet(createMemoryMemo(), [`acme ${IMAGE} sha256:private`], createRecordingLog());
  const rights = createImageRights(kept, createRegistries("{}"));
  expect([withheld(rights, "acme"), withheld(rights, "mmm")]).toEqual([false, true]);
});
