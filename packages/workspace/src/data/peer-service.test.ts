import { aConnector } from "@skep/core/testing/connector.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { BSON } from "mongodb";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLock } from "../events/token.ts";
import { createFindPeer, type Peer } from "../move/peer.ts";
import { createTwinDatabase, type TwinDatabase } from "../testing/twin-database.ts";
import { portableOf } from "../testing/twin-portable.ts";
import { createJournal } from "./journal.ts";
import { listenForWorkspaces, type DataListener } from "./listen.ts";
import { createServed, type ServedWorkspaces } from "./served.ts";
import { dataServices } from "./services.ts";

const connector = aConnector({ id: "fleet" }, { secret: "the secret of fleet" });
const at = new Date(5_000);
const document = BSON.serialize({ _id: "a", deviceId: "d", receivedAt: at, value: 1.5 });
const window = { from: 0, until: 8_640_000_000_000_000 };

let listener: DataListener;
let workspaces: ServedWorkspaces;
let twin: TwinDatabase;
let leave: () => void;

const peer = (of = connector): Peer => createFindPeer(systemClock)(`127.0.0.1:${listener.port}`, of);

beforeEach(async () => {
  workspaces = createServed();
  twin = createTwinDatabase();
  const log = createRecordingLog();
  const routes = dataServices({ clock: systemClock, journal: createJournal(log, Date.now) });
  listener = await listenForWorkspaces({ port: 0, workspaces, routes, log });
  const lock = createLock("fleet", connector.access.secret, Date.now);
  leave = workspaces.addHalf({ id: "fleet", portable: portableOf(twin), lock });
});
afterEach(() => listener.close());

it("takes documents of the other half as they stand, once each, and tells its keys", async () => {
  twin.refuses = one => (one._id === "bad" ? "it is too large" : undefined);
  const bad = BSON.serialize({ _id: "bad", receivedAt: at });
  expect(await peer().importAll("messages", [document, bad])).toEqual({
    stored: 1,
    refused: new Map([["bad", "it is too large"]]),
  });
  expect(await peer().importAll("messages", [document])).toEqual({ stored: 0, refused: new Map() });
  expect(await peer().importAll("deadLetters", [document, bad])).toMatchObject({ stored: 2 });
  expect(twin.stored.get("a")).toEqual({ _id: "a", deviceId: "d", receivedAt: at, value: 1.5 });
  expect(await peer().keysPage("messages", window, "")).toEqual(["a"]);
  // It was replayed since, where the other half is.
  await peer().importAll("messages", [document, bad]);
  expect(await peer().keysPage("deadLetters", window, "")).toEqual(["bad"]);
  expect(await peer().keysPage("messages", window, "a")).toEqual([]);
  expect(await peer().keysPage("messages", { ...window, from: 5_001 }, "")).toEqual([]);
  expect(await peer().keysPage("messages", { ...window, keptSince: 5_001 }, "")).toEqual([]);
});

it("answers the other half only: whoever knows the workspace's secret, and while it is a half", async () => {
  const stranger = aConnector({ id: "fleet" }, { secret: "another secret of it" });
  await expect(peer(stranger).keysPage("messages", window, "")).rejects.toMatchObject({ code: "unauthenticated" });
  leave();
  await expect(peer().importAll("messages", [document])).rejects.toMatchObject({
    code: "unavailable",
    reason: "WORKSPACE_ELSEWHERE",
  });
  expect(twin.stored.size).toBe(0);
});

it("says that it is away where nothing listens", async () => {
  await listener.close();
  await expect(peer().keysPage("messages", window, "")).rejects.toMatchObject({ code: "unavailable" });
});
