import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { aHostedStatus, aHostReport } from "../store/testing/hosts.ts";
import { showMove } from "./moves.ts";
import { reasonOf, serveHttp, type HttpApi } from "./testing/http.ts";
import { createTestPlatform, LEADER } from "./testing/platform.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
const MINUTE_MS = 60_000;

let http: HttpApi;
let platform: ReturnType<typeof createTestPlatform>;

/** Its host says that it has so many files. */
async function report(counts: Readonly<Record<string, number>>): Promise<void> {
  const { store, deps } = platform;
  const now = deps.clock.now();
  await store.saveHostReport(aHostReport(), 2_000, now);
  const placed = { workspaceId: "fleet", hostId: "host_a", epoch: 1, placement: 1, because: "" };
  const plan = { changes: [{ kind: "place", ...placed } as const], silenced: new Map(), gone: [], lost: [] };
  await store.commitHosting(plan, await store.takeLease(...LEADER), now);
  await store.saveHostReport(aHostReport({ seq: 2, workspaces: [aHostedStatus({ counts })] }), 2_000, now);
}

const migrate = async (body: object) => {
  const answer = await http.send("POST", "/api/v1/workspaces/fleet:migrate", { to: "standalone", ...body });
  return { ...answer, left: String(answer.body["left"]), blocked: (answer.body["blocked"] ?? []) as string[] };
};

beforeEach(async () => {
  platform = createTestPlatform();
  const wanted = { tenantId: "default", purpose: aPurpose(), strategy: "least-loaded" } as const;
  await platform.store.createWorkspace({ ...wanted, connector: aConnector({ id: "fleet" }) }, someone, 1);
  http = await serveHttp(platform.deps);
});
afterEach(() => http.close());

it("begins no move that would leave files, unless they may stay, and says so beforehand", async () => {
  await report({ "files.files": 2, "files.bytes": 3_400_000 });
  const tried = await migrate({ dryRun: true });
  expect(tried.left).toContain("2 files, 3.4 MB stay in the storage of the shared hosts");
  expect(tried.blocked).toEqual([expect.stringContaining("files of workspace fleet (2 files, 3.4 MB) do not move")]);
  expect(reasonOf(await migrate({}))).toBe("MOVE_LEAVES_FILES");
  expect(await platform.store.getMove("fleet")).toBeUndefined();
  expect((await migrate({ dryRun: true, leaveFiles: true })).blocked).toEqual([]);
  expect((await migrate({ leaveFiles: true })).body).toMatchObject({ recorded: true });
  // Who asks again is told of the move that there is.
  expect((await migrate({})).body).toMatchObject({ recorded: true });
});

it.each([
  [{ "files.files": 0, "files.bytes": 0 }, "0 files, 0.0 MB stay"],
  [{}, "its files, of which its host has not said how many, stay"],
])("begins where there are none, or none are known: %j", async (counts, words) => {
  await report(counts);
  expect((await migrate({ dryRun: true })).left).toContain(words);
  expect((await migrate({})).body).toMatchObject({ recorded: true });
});

it("leaves nothing of a workspace whose files are in an S3 server of its own", async () => {
  await report({ "files.files": 2, "files.bytes": 3_400_000 });
  const files = { url: "https://s3.example.com", region: "eu-1", bucket: "files", accessKey: "k", secretKey: "word" };
  const connector = aConnector({ id: "fleet" }, {}, { files });
  await platform.store.changeWorkspace("fleet", { connector }, undefined, someone, 2);
  const tried = await migrate({ dryRun: true });
  expect([tried.blocked, tried.left]).toEqual([
    [],
    expect.stringContaining("in an S3 server of its own, and stay there"),
  ]);
  expect((await migrate({})).body).toMatchObject({ recorded: true });
});

it("says for how many devices commands may be lost", async () => {
  const { store, deps } = platform;
  const ids = ["away", "here", "never"];
  await store.createDevices(
    "fleet",
    ids.map(deviceId => ({ deviceId, digest: deviceId })),
    someone,
    1,
  );
  const now = deps.clock.now();
  const seen = [
    { deviceId: "away", seenAt: now - 3 * MINUTE_MS },
    { deviceId: "here", seenAt: now - MINUTE_MS },
  ];
  await store.noteDevices(seen.map(one => ({ workspaceId: "fleet", denied: 0, deniedTopic: "", ...one })));
  expect((await migrate({ dryRun: true })).left).toContain("are not delivered (1 are away now)");
});

it.each([
  ["prepare", "its standalone host begins to stand by; see its deployment"],
  ["verify", "its shared host goes over to stand by"],
] as const)("words a half that has no host yet as a step of the move: %s", async (stage, words) => {
  const { store, deps } = platform;
  const move = await store.startMove("fleet", "standalone", someone, 1);
  const moving = { ...store, getMove: () => Promise.resolve({ move: { ...move, stage }, halves: [] }) };
  expect((await showMove({ store: moving, clock: deps.clock }, "fleet"))?.waiting).toEqual([words]);
});
