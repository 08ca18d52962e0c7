import { decodeAssignment, type DecodedAssignment } from "@skep/api/codec/assignment.ts";
import { parseNodeSubject } from "@skep/api/subjects.ts";
import type { Passage } from "@skep/kit/memory-bus.ts";
import type { EngineRule } from "./engine-rule.ts";
import type { Platform } from "./platform.ts";

const CALM_MS = 1;
const CALM_STORE = { storeFails: 0, commitUnknown: 0, storeLate: 0, storeSlowMs: 4 };
/** The longest that a message is under way, or a statement waits for a lock. */
export const LATEST_MS = 30_000;

/** They draw by chance of their own, so that they change little for the fleet. */
const HOSTING_CALLS: ReadonlySet<string> = new Set([
  ...[
    "loadHosting",
    "countHostLeases",
    "commitHosting",
    "saveHostReport",
    "loadHostAssignment",
    "locateWorkspaces",
    "loadHostKey",
  ],
  ...["createWorkspace", "changeWorkspace"],
]);

/** Sets how messages travel and how the database answers, by the platform's present mischief. */
export function setWeather(platform: Platform): void {
  const net = platform.chance("network");
  platform.network.setPolicy(passage => {
    watchAssignments(platform, passage);
    const { drop, double, delayMs, late } = platform.mischief ?? { drop: 0, double: 0, delayMs: CALM_MS, late: 0 };
    const delays: number[] = [];
    if (platform.hindrance.loses?.(passage.subject) === true) return delays;
    if (late > 0 && net.happens(late)) delays.push(net.between(800, LATEST_MS));
    else if (!net.happens(drop)) delays.push(1 + net.between(0, delayMs));
    if (net.happens(double)) delays.push(1 + net.between(0, delayMs));
    platform.say(
      `${passage.from} > ${passage.to} ${passage.subject} ${passage.data.byteLength}b ${delays.join(",") || "lost"}`,
    );
    return delays;
  });

  const [fleet, hosts] = [platform.chance("database"), platform.chance("database of hosts")];
  platform.database.setPolicy((name, call) => {
    const db = HOSTING_CALLS.has(call) ? hosts : fleet;
    const { storeFails, commitUnknown, storeLate, storeSlowMs } = platform.mischief ?? CALM_STORE;
    const isLate = storeLate > 0 && db.happens(storeLate);
    const lost = isLate ? "later" : db.happens(storeFails) ? "before" : db.happens(commitUnknown) ? "after" : "no";
    platform.say(`${name} db ${call}${lost === "no" ? "" : ` lost ${lost}`}`);
    // Slow now and then: a database that is always slow hides what only shows when it is not.
    const delayMs = db.happens(0.9) ? db.whole(1, 4) : db.whole(1, storeSlowMs);
    const hinderedMs = platform.hindrance.delaysMs?.(name, call) ?? 0;
    return { delayMs: delayMs + hinderedMs, lost, laterMs: isLate ? db.between(10, LATEST_MS) : 0 };
  });
}

/**
 * Notes what each node was ever told, whether or not it gets there; answers to fetches are noted
 * where they are read.
 */
function watchAssignments(platform: Platform, { from, subject, data }: Passage): void {
  const about = parseNodeSubject(subject);
  if (about?.kind !== "assign" || !platform.schedulers.includes(from)) return;
  platform.told.set(about.nodeId, data);
  if (about?.kind === "assign") platform.engineRules.get(about.nodeId)?.sent(tellingOf(decodeAssignment(data)));
}

/** What an assignment tells, whether or not the specs are in it. */
function tellingOf({ assignment, awaiting }: DecodedAssignment): Parameters<EngineRule["sent"]>[0] {
  return { ...assignment, instances: [...assignment.instances, ...awaiting.map(one => one.instance)] };
}
