import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { serveHttp, type HttpApi } from "@skep/scheduler/api/testing/http.ts";
import { createTestPlatform } from "@skep/scheduler/api/testing/platform.ts";
import { afterAll, beforeAll, expect } from "vitest";
import { describeAttempts } from "../../support/hostile.ts";
import { CONNECTORS, DATABASES, RULES, WEBHOOKS } from "./hostile/records.ts";

/**
 * What a hostile tenant asks the API to record: each attempt with its answer, nothing of it is
 * recorded, and what its neighbour has stays as it is.
 */
const platform = createTestPlatform();
const by = { actor: "someone", idempotencyKey: undefined };
const SECRET = "sk_live_of_the_attacker";
let http: HttpApi;
let before: string;

beforeAll(async () => {
  for (const id of ["neighbour", "mine"]) {
    const wanted = { connector: aConnector({ id }), purpose: aPurpose(), strategy: "least-loaded" } as const;
    await platform.store.createWorkspace({ tenantId: "default", ...wanted }, by, 0);
  }
  http = await serveHttp(platform.deps);
  before = await recorded();
});
afterAll(() => http.close());

/** All that is recorded. */
async function recorded(): Promise<string> {
  const { store } = platform;
  const page = { size: 1_000, token: undefined };
  return JSON.stringify([
    (await store.listWorkspaces({}, page)).items,
    await Promise.all(["neighbour", "mine"].map(id => store.loadRules(id))),
    await Promise.all(["neighbour", "mine"].map(id => store.loadWebhooks(id))),
  ]);
}

async function unharmed(): Promise<void> {
  expect(await recorded()).toBe(before);
}

async function refusal(path: string, body: unknown, method = "POST"): Promise<string> {
  const { status, body: answer } = await http.send(method, path, body);
  const text = JSON.stringify(answer);
  expect([status >= 400 && status < 500, text.includes(SECRET)], text.slice(0, 400)).toEqual([true, false]);
  return text;
}

function withPart(path: string, value: unknown): object {
  const { sockets, events } = { sockets: 5, events: 5 };
  const database: Record<string, unknown> = { size: 10 };
  const specs = { database, ratelimits: { sockets, events, channels: 5 } };
  const document: Record<string, unknown> = {
    ...{ id: "attack", type: "IoT", name: "Attack", workspace: { type: "developer", icode: "" }, enabled: true },
    access: { secret: SECRET, maintainers: [], ratelimits: { sockets, events } },
    config: { protocol: "sio", resources: { type: "shared", specs } },
  };
  const keys = path.split(".");
  let holder = document;
  for (const key of keys.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
  if (value === undefined) delete holder[keys.at(-1)!];
  else holder[keys.at(-1)!] = value;
  return document;
}

const create = (connector: object): Promise<string> =>
  refusal("/api/v1/workspaces", { tenantId: "default", connector });

const put = (document: object): Promise<string> => refusal("/api/v1/workspaces/mine/rules", ruleOf(document), "PUT");

describeAttempts("rules", RULES, put, unharmed);
describeAttempts("connectors", CONNECTORS, ([path, value]) => create(withPart(path, value)), unharmed);
describeAttempts("databases", DATABASES, url => create(withPart("config.resources.specs.database.url", url)), unharmed);
describeAttempts(
  "webhooks",
  WEBHOOKS,
  url => refusal("/api/v1/workspaces/mine/webhooks", { name: "x", url, secret: SECRET }),
  unharmed,
);

function ruleOf(document: object): object {
  const kind = "reference" in document ? "RULE_KIND_SCHEMA" : "RULE_KIND_RULE";
  return { kind, document };
}
