import { expect, test } from "vitest";
import type { RegistryAuth } from "./engine/engine.ts";
import { createRegistries } from "./loop/registry-auth.ts";
import { aContainer, anAssignment, aSpec } from "./testing/builders.ts";
import { openRig, type Rig } from "./testing/rig.ts";
import { box, known } from "./testing/running.ts";

const SECRET = "registry.example.com/acme/secret:1";
const OPEN = "registry.example.com/acme/open:1";
const SHARED = "shared.example.com/tools/web:1";

const registries = createRegistries(
  JSON.stringify({
    shared: { auths: { "shared.example.com": { username: "all", password: "p" } } },
    tenants: {
      acme: { auths: { "registry.example.com": { username: "ann", password: "p" } } },
      other: { auths: { "registry.example.com": { username: "bob", password: "p" } } },
    },
  }),
);

function of(tenantId: string, image: string, serial = 1) {
  const spec = aSpec({ containers: [aContainer({ image })] });
  return box({ instanceId: `${tenantId}.web.${serial}`, tenantId, spec });
}

/** A node with its registries; `answers` ends when they are away. */
async function start() {
  const pulls: string[] = [];
  const state = { away: false };
  const mayPull = (image: string, auth: RegistryAuth | undefined): boolean => {
    pulls.push(`${auth?.username ?? "nobody"} ${image}`);
    if (state.away) return false;
    if (image === SECRET) return auth?.username === "ann";
    return image !== SHARED || auth?.username === "all";
  };
  const rig = await openRig({ registry: new Set([SECRET, OPEN, SHARED, "box"]), mayPull }, { registries });
  let revision = 0;
  const run = async (...instances: ReturnType<typeof of>[]): Promise<void> => {
    rig.scheduler.assign(anAssignment({ revision: ++revision, instances }));
    await rig.clock.advance(5_000);
  };
  return { rig, pulls, state, run };
}
const stateOf = (rig: Rig, id: string): string | undefined => known(rig, `${id}@1`)?.state;

test("a private image that is here starts for the tenant whose credentials brought it, and for nobody else", async () => {
  const { rig, run } = await start();
  await run(of("acme", SECRET));
  await run(of("acme", SECRET), of("mmm", SECRET), of("other", SECRET));
  expect(stateOf(rig, "acme.web.1")).toBe("running");
  for (const tenant of ["mmm", "other"]) {
    expect(known(rig, `${tenant}.web.1@1`)).toMatchObject({ state: "preparing" });
    expect(known(rig, `${tenant}.web.1@1`)?.message).toContain("access denied");
  }
});

test("tenants that want a private image at the same moment each pull it with their own rights", async () => {
  const { rig, pulls, run } = await start();
  await run(of("acme", SECRET), of("other", SECRET));
  expect(pulls.slice(0, 2)).toEqual([`ann ${SECRET}`, `bob ${SECRET}`]);
  expect([stateOf(rig, "acme.web.1"), stateOf(rig, "other.web.1")]).toEqual(["running", "preparing"]);
});

test("the same tenant starts it again without the registry, also after a restart of the agent", async () => {
  const { rig, run, state } = await start();
  await run(of("acme", SECRET));
  state.away = true;
  await run(of("acme", SECRET), of("acme", SECRET, 2));
  expect(stateOf(rig, "acme.web.2")).toBe("running");
  rig.kill();
  await rig.revive();
  await run(of("acme", SECRET), of("acme", SECRET, 2), of("acme", SECRET, 3));
  expect(stateOf(rig, "acme.web.3")).toBe("running");
});

test("an image that the registry gives to anybody starts for another tenant after one question, and then without", async () => {
  const { rig, run, pulls, state } = await start();
  await run(of("acme", OPEN));
  await run(of("acme", OPEN), of("mmm", OPEN));
  expect(pulls).toEqual([`ann ${OPEN}`, `nobody ${OPEN}`]);
  state.away = true;
  await run(of("acme", OPEN), of("mmm", OPEN), of("zzz", OPEN));
  expect(stateOf(rig, "zzz.web.1")).toBe("running");
});

test("images of registries without a tenant's credentials are pulled once for all", async () => {
  const { rig, run, pulls } = await start();
  await run(of("acme", SHARED), of("mmm", "box"));
  await run(of("acme", SHARED), of("mmm", "box"), of("mmm", SHARED, 2), of("acme", "box", 2));
  expect(pulls.toSorted()).toEqual([`all ${SHARED}`, "nobody box"]);
  for (const id of ["acme.web.1", "mmm.web.1", "mmm.web.2", "acme.web.2"]) expect(stateOf(rig, id)).toBe("running");
});
