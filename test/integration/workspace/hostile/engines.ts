import { table } from "../../../support/attempt.ts";

const where = { $where: "sleep(1000)" };
const code = { $function: { body: "while (true) {}", args: [], lang: "js" } };

function nested(levels: number): unknown {
  let inner: unknown = 1;
  for (let level = 0; level < levels; level += 1) inner = { a: inner };
  return inner;
}

/** What is asked of `find` and of `aggregate`. */
export const QUERIES = table<{ readonly filter?: unknown; readonly pipeline?: unknown }>([
  ["code in a filter", { filter: where }, "filter.$where"],
  ["code deep in a filter", { filter: { $or: [{ a: 1 }, { $and: [where] }] } }, "filter.$or[1].$and[0].$where"],
  ["a function in a filter", { filter: { $expr: code } }, "filter.$expr.$function"],
  ["a function in a stage", { pipeline: [{ $set: { a: code } }] }, "pipeline[0].$set.a.$function"],
  ["an accumulator of code", { pipeline: [{ $group: { _id: 1, a: { $accumulator: {} } } }] }, "$accumulator"],
  ["another database by $lookup", { pipeline: [{ $lookup: { from: { db: "ws_b", coll: "messages" } } }] }, "$lookup"],
  ["the same behind $facet", { pipeline: [{ $facet: { a: [{ $lookup: { from: "x" } }] } }] }, "$lookup"],
  ["another collection by $unionWith", { pipeline: [{ $unionWith: "system.users" }] }, "$unionWith"],
  ["another collection by $graphLookup", { pipeline: [{ $graphLookup: { from: "x" } }] }, "$graphLookup"],
  ["writing to a neighbour", { pipeline: [{ $out: { db: "ws_neighbour", coll: "messages" } }] }, "$out"],
  ["merging into a neighbour", { pipeline: [{ $merge: { into: { db: "ws_neighbour", coll: "m" } } }] }, "$merge"],
  ["what others ask", { pipeline: [{ $currentOp: { allUsers: true } }] }, "$currentOp"],
  ["who is logged in", { pipeline: [{ $listSessions: { allUsers: true } }] }, "$listSessions"],
  ["the users of the server", { pipeline: [{ $set: { a: "$$USER_ROLES" } }] }, "$$USER_ROLES"],
  ["changes of the whole server", { pipeline: [{ $changeStream: { allChangesForCluster: true } }] }, "$changeStream"],
  ["a pattern of 10,000 characters", { filter: { a: { $regex: "(a+)+".repeat(2_000) } } }, "filter.a.$regex"],
  ["a pattern as an object", { filter: { a: { $regex: { $regularExpression: {} } } } }, "filter.a.$regex"],
  ["a pattern where a value belongs", { filter: { a: { $in: [{ $regularExpression: REGEX() }] } } }, "filter.a.$in"],
  ["code where a value belongs", { filter: { a: { $code: "while (true) {}" } } }, "filter.a"],
  ["a list that grows by itself", { pipeline: [{ $set: { a: { $concatArrays: ["$a", "$a"] } } }] }, "$concatArrays"],
  ["a range of a billion", { pipeline: [{ $set: { a: { $range: [0, 1e9] } } }] }, "$range"],
  ["a loop within a document", { pipeline: [{ $set: { a: { $reduce: {} } } }] }, "$reduce"],
  ["a filter 500 deep", { filter: nested(500) }, "more than 20 levels"],
  ["a filter of 10,000 parts", { filter: { a: { $in: Array.from({ length: 10_000 }, (_, at) => at) } } }, "2000 parts"],
  ["a thousand stages", { pipeline: Array.from({ length: 1_000 }, () => ({ $match: {} })) }, "at most 20"],
  ["a command of the server", { pipeline: { dropDatabase: 1 } }, "pipeline"],
  ["a text in place of a pipeline", { pipeline: "db.dropDatabase()" }, "pipeline"],
]);

function REGEX(): object {
  return { pattern: "(a+)+$", options: "" };
}

/** Which collection, and where the page before ended. */
export const CURSORS = table<{ readonly collection?: string; readonly after?: string; readonly limit?: number }>([
  ["a collection of the system", { collection: "system.users" }, "is no collection"],
  ["a collection of another database", { collection: "../ws_neighbour/messages" }, "is no collection"],
  ["a name of the prototype", { collection: "__proto__" }, "is no collection"],
  ["a cursor of the server", { after: "7219873219832179832" }, "CURSOR_INVALID"],
  ["a cursor that is a filter", { after: Buffer.from('{"$where":"1"}').toString("base64url") }, "CURSOR_INVALID"],
  ["a page of a million", { limit: 1_000_000 }, "QUERY_REFUSED"],
  ["a page of less than nothing", { limit: -1 }, "QUERY_REFUSED"],
]);

/** Names of files. */
export const FILES = table<string>([
  ["a neighbour by ..", "../neighbour/secret.txt", "FILE_NAME"],
  ["a neighbour by .. in the middle", "a/../../neighbour/secret.txt", "FILE_NAME"],
  ["a neighbour by a coded ..", "%2e%2e/neighbour/secret.txt", "FILE_NAME"],
  ["a neighbour by its key", "/ws/neighbour/secret.txt", "FILE_NAME"],
  ["a neighbour by a backslash", "..\\neighbour\\secret.txt", "FILE_NAME"],
  ["a NUL before the extension", "a.exe\0.txt", "FILE_NAME"],
  ["a line in a name", "a\r\nX-Amz-Acl: public-read.txt", "FILE_NAME"],
  ["a drive", "C:/windows/win.txt", "FILE_NAME"],
  ["a file that runs", "run.exe", "FILE_NAME"],
  ["a page that a browser runs", "page.html", "FILE_NAME"],
  ["a name of 2,000 characters", `${"a".repeat(2_000)}.txt`, "FILE_NAME"],
  ["a name that turns around", "a\u202etxt.exe", "FILE_NAME"],
  ["nothing", "", "FILE_NAME"],
]);

/** How an upload goes wrong: a body of 40 MB, cut after so many; what it claims to be. */
export const UPLOADS = table<{ readonly cutAfter?: number; readonly size?: number; readonly bytes: number }>([
  ["cut half way, after two parts", { bytes: 40e6, cutAfter: 20e6 }, "the wire broke"],
  ["cut before its first part is full", { bytes: 40e6, cutAfter: 1e6 }, "the wire broke"],
  ["shorter than it said", { bytes: 20e6, size: 40e6 }, "FILE_CUT"],
  ["longer than it said", { bytes: 40e6, size: 20e6 }, "FILE_"],
  ["more than there is room for", { bytes: 80e6 }, "FILE_QUOTA"],
]);
