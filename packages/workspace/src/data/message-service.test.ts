import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { MessageService } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { pathOf } from "@skep/core/workspace/reach.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { signCall } from "@skep/kit/workspace-token.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLock } from "../events/token.ts";
import { createJournal } from "./journal.ts";
import { listenForWorkspaces, type DataListener } from "./listen.ts";
import { createServed, type ServedWorkspace } from "./served.ts";
import { dataServices } from "./services.ts";

const SECRET = "the secret of fleet";
let listener: DataListener;
let isMoving: boolean;
let done: string[];

beforeEach(async () => {
  [isMoving, done] = [false, []];
  const workspaces = createServed();
  const log = createRecordingLog();
  const routes = dataServices({ clock: systemClock, journal: createJournal(log, Date.now) });
  listener = await listenForWorkspaces({ port: 0, workspaces, routes, log });
  const database = {
    deadLetter: async () => ({}),
    replay: async (id: string) => void done.push(`replayed ${id}`),
    forgetLetter: async (id: string) => void done.push(`forgot ${id}`),
  };
  const lock = createLock("fleet", SECRET, Date.now);
  const served = { id: "fleet", epoch: 1, database, lock, mayRead: () => true, isMoving: () => isMoving };
  workspaces.add(served as unknown as ServedWorkspace);
});
afterEach(() => listener.close());

it("neither replays nor forgets dead letters of a workspace that moves, and says so", async () => {
  const baseUrl = `http://127.0.0.1:${listener.port}${pathOf("fleet").replace(/\/$/, "")}`;
  const client = createClient(MessageService, createConnectTransport({ baseUrl, httpVersion: "1.1" }));
  const headers = { authorization: `Bearer ${signCall("fleet", SECRET, "data", "someone", Date.now())}` };
  const both = [
    () => client.replayDeadLetter({ letterId: "l" }, { headers }),
    () => client.deleteDeadLetter({ letterId: "l" }, { headers }),
  ];
  isMoving = true;
  const refused = await Promise.all(both.map(call => call().catch((error: unknown) => String(error))));
  expect(refused).toEqual(both.map(() => expect.stringContaining("Workspace fleet moves") as string));
  expect(done).toEqual([]);
  isMoving = false;
  for (const call of both) await call();
  expect(done).toEqual(["replayed l", "forgot l"]);
});
