import { expect, test } from "vitest";
import { aContainer, aSpec, aVolume } from "../testing/builders.ts";
import type { VolumeMount } from "./deployment.ts";
import { mountedVolumes, ownerOf, projectOfOwner, tenantOfOwner, volumeKey, volumesOf } from "./volume.ts";

const mount = (over: Partial<VolumeMount> = {}): VolumeMount => ({
  name: "data",
  target: "/data",
  readOnly: false,
  ...over,
});
const mounting = (...volumes: readonly VolumeMount[]) => aSpec({ containers: [aContainer({ volumes })] });

test("an owner is a project, a deployment of no project, or the tenant, and tells its tenant", () => {
  expect(ownerOf("acme", aSpec({ name: "web" }))).toBe("acme.web");
  expect(ownerOf("acme", aSpec({ name: "blog-web", project: "blog" }))).toBe("acme/blog");
  const spec = mounting(mount(), mount({ project: "shop" }), mount({ project: "" }));
  expect(volumesOf("acme", spec).map(one => one.owner)).toEqual(["acme.web", "acme", "acme/shop"]);
  expect(["acme.web", "acme/blog", "acme"].map(tenantOfOwner)).toEqual(["acme", "acme", "acme"]);
  expect(["acme.web", "acme/blog", "acme"].map(projectOfOwner)).toEqual([undefined, "blog", undefined]);
});

test("a project and a deployment of one name have volumes of their own", () => {
  expect(volumeKey(aVolume({ owner: "acme/web" }))).not.toBe(volumeKey(aVolume({ owner: "acme.web" })));
  const kept = [aVolume({ owner: "acme/web", serial: 1 }), aVolume({ owner: "acme.web", serial: 2 })];
  expect(mountedVolumes(kept).length).toBe(2);
});

test("one mount that needs the data keeps it, and one that needs it to be there keeps it from being made", () => {
  const of = (...mounts: readonly VolumeMount[]) => volumesOf("acme", mounting(...mounts))[0];
  expect(of(mount({ move: "empty" }))).toMatchObject({ mayMoveEmpty: true, isExternal: false });
  expect(of(mount({ move: "empty" }), mount())).toMatchObject({ mayMoveEmpty: false });
  expect(of(mount(), mount({ move: "empty" }))).toMatchObject({ mayMoveEmpty: false });
  expect(of(mount(), mount({ isExternal: true }))).toMatchObject({ isExternal: true });
});

test("the same spec of another tenant mounts other volumes", () => {
  const spec = mounting(mount());
  expect(["acme", "other"].map(tenant => volumesOf(tenant, spec)[0]?.owner)).toEqual(["acme.web", "other.web"]);
});
