import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createHostTokens } from "./host-tokens.ts";

const IDENTITY = "an-identity-that-nobody-else-knows-0001";
const SECRET = "the-secret-of-the-service";

function setting() {
  const clock = createVirtualClock(1_700_000_000_000);
  const records = { key: "a key", isAway: false };
  const store = {
    loadHostKey: () => (records.isAway ? Promise.reject(new Error("away")) : Promise.resolve(records.key)),
  };
  return { clock, records, tokens: createHostTokens({ store, clock, serviceSecret: SECRET }) };
}

it("lets the service and a workspace's host ask for a token, and do nothing else", async () => {
  const { tokens } = setting();
  const service = await tokens.authenticate(SECRET);
  expect(service).toMatchObject({ kind: "host", host: { hostId: undefined, workspaceId: undefined } });
  const own = await tokens.authenticate(await tokens.workspaceSecret("fleet"));
  expect(own?.host).toEqual({ hostId: undefined, workspaceId: "fleet" });
  for (const one of [service, own]) expect(one?.grants.flatMap(grant => grant.permissions)).toEqual(["hosts.enrol"]);
});

it("gives an identity the same id each time, and another one another", async () => {
  const { tokens } = setting();
  const [first, again, other] = [
    await tokens.enrol(IDENTITY, undefined),
    await tokens.enrol(IDENTITY, undefined),
    await tokens.enrol(`${IDENTITY}x`, undefined),
  ];
  expect(again.hostId).toBe(first.hostId);
  expect(other.hostId).not.toBe(first.hostId);
  expect(first.token).not.toContain(IDENTITY);
});

it("knows a token until it expires", async () => {
  const { tokens, clock } = setting();
  const { token, hostId, expiresInMs } = await tokens.enrol(IDENTITY, "fleet");
  expect((await tokens.authenticate(token))?.host).toEqual({ hostId, workspaceId: "fleet" });
  await clock.advance(expiresInMs - 1);
  expect(await tokens.authenticate(token)).toBeDefined();
  await clock.advance(1);
  expect(await tokens.authenticate(token)).toBeUndefined();
});

it("knows nothing that it did not make", async () => {
  const { tokens } = setting();
  const { token } = await tokens.enrol(IDENTITY, "fleet");
  const [, claims = "", mac = ""] = token.split(".");
  const forged = Buffer.from(JSON.stringify(["host_other", "", 9e15])).toString("base64url");
  const workspace = await tokens.workspaceSecret("fleet");
  const tries = [
    "",
    "skep-host",
    `skep-host.${forged}.${mac}`,
    `skep-host.${claims}.`,
    `${token}.x`,
    "skep-host.e30.x",
  ];
  // A mac of one kind is none of another.
  const others = [
    workspace.replace("fleet", "other"),
    `skep-workspace.${claims}.${mac}`,
    `skep-host.fleet.${workspace.split(".")[2]}`,
  ];
  for (const one of [...tries, ...others]) expect(await tokens.authenticate(one), one).toBeUndefined();
  const without = createHostTokens({ store: { loadHostKey: () => Promise.resolve("k") }, clock: setting().clock });
  expect(await without.authenticate(SECRET)).toBeUndefined();
});

it("goes on with the key that it knows while the database is away, and takes another database's soon", async () => {
  const { tokens, clock, records } = setting();
  const { token } = await tokens.enrol(IDENTITY, undefined);
  records.isAway = true;
  await clock.advance(60_000);
  expect(await tokens.authenticate(token)).toBeDefined();
  Object.assign(records, { isAway: false, key: "another key" });
  await clock.advance(6_000);
  expect(await tokens.authenticate(token)).toBeUndefined();
});
