import type { Rule } from "@skep/core/rules/rule.ts";
import type { RuleSet } from "@skep/core/rules/rule-set.ts";
import type { FieldRule, Schema } from "@skep/core/rules/schema.ts";
import { deviceFilter } from "@skep/core/workspace/topic.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { systemRandom } from "@skep/kit/random.ts";
import { openReader } from "@skep/workspace/channel/reader.ts";
import { createConnections } from "@skep/workspace/database/connection.ts";
import { openDatabase } from "@skep/workspace/database/database.ts";
import { createPipeline, type PipelinePorts } from "@skep/workspace/ingest/pipeline.ts";
import { createRules } from "@skep/workspace/rules/rules.ts";

// One workspace's way from the broker to the database: `BROKER_URL [MONGO_URL]`, as a host runs it,
// in a process of its own. Without a database it stores at once. Tells its parent how many
// messages it has stored.
const WORKSPACE = "acme";
const BATCH = 1_000;
const TELL_MS = 20;

const [url = "", mongoUrl] = process.argv.slice(2);
const mayRead = (): boolean => true;
const counts = { events: 0, actions: 0 };
const act = async (): Promise<void> => void (counts.actions += 1);
const database = mongoUrl === undefined ? storesAtOnce() : await ownDatabase(mongoUrl);
const rules = createRules(
  {
    ...{ workspaceId: WORKSPACE, clock: systemClock, mostDevices: 10_000, mayRead },
    actions: { store: act, event: act, command: act, webhook: act },
  },
  ruleSet(),
);
const reader = openReader(
  {
    ...{ url, username: "", password: "", clientId: `skep-ws-${WORKSPACE}`, filters: [deviceFilter(WORKSPACE)] },
    ...{ receiveMaximum: 4 * BATCH, sessionExpirySeconds: 3_600, keepaliveSeconds: 30 },
  },
  {
    delivered: one => pipeline.take(one),
    changed: state => process.send?.({ state: state.kind }),
  },
  { clock: systemClock, random: systemRandom, mayRead },
);
const pipeline = createPipeline(
  {
    ...{ reader, rules, clock: systemClock, random: systemRandom, log: createRecordingLog() },
    database,
    events: { emit: all => void (counts.events += all.length) },
  },
  { workspaceId: WORKSPACE, batch: { most: BATCH, waitMs: 5 }, maxPayload: 65_536, mayRead },
);
let told = -1;
setInterval(() => {
  const { stored, buried } = pipeline.counts();
  if (stored !== told) process.send?.({ stored, buried });
  told = stored;
}, TELL_MS);
process.once("disconnect", () => process.exit(0));

/** One schema and one threshold, which every sixth message or so passes. */
function ruleSet(): RuleSet {
  const number: FieldRule = {
    ...{ type: "number", sources: [], required: true, unit: undefined, sentUnit: undefined, scale: 1, offset: 0 },
    ...{ least: undefined, most: undefined, description: "" },
  };
  const names = ["n", "lat", "lon", "temperature"];
  const fields = new Map(names.map(name => [name, { ...number, sources: [name] }]));
  const schema: Schema = { reference: "telemetry", version: 1, format: { kind: "json" }, fields };
  const hot: Rule = {
    ...{ id: "hot", version: 1, enabled: true, category: "telemetry", type: "" },
    when: { kind: "threshold", field: "temperature", is: ">", value: 70, clear: undefined },
    ...{ repeat: { kind: "once" }, actions: [{ kind: "event", topic: "alarms/hot" }], clearActions: [] },
  };
  return { schemas: new Map([["telemetry", schema]]), rules: [hot] };
}

function ownDatabase(address: string): Promise<PipelinePorts["database"]> {
  return openDatabase({ workspaceId: WORKSPACE, url: address, megabytes: 10_000, connections: createConnections() });
}

function storesAtOnce(): PipelinePorts["database"] {
  return { store: async () => undefined, bury: async () => undefined, recall: async () => new Map() };
}
