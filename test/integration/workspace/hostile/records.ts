import { table } from "../../../support/attempt.ts";

const event = [{ kind: "event", topic: "alarm" }];
const hot = { kind: "threshold", field: "t", is: ">", value: 80 };
const rule = (over: object): object => ({ id: "hot", when: hot, actions: event, ...over });
const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

function deep(levels: number): object {
  let when: object = hot;
  for (let level = 0; level < levels; level += 1) when = { kind: "not", of: when };
  return when;
}

/** Documents of rules. */
export const RULES = table<object>([
  ["a pattern that backtracks", rule({ when: { ...hot, is: "matches", value: "(a+)+$" } }), "document.when.is"],
  ["a pattern beside a condition", rule({ when: { ...hot, pattern: "(a+)+$" } }), "document.when.pattern"],
  ["code as a condition", rule({ when: { kind: "script", code: "while(1);" } }), "document.when.kind"],
  ["code as an action", rule({ actions: [{ kind: "shell", run: "rm -rf /" }] }), "document.actions[0].kind"],
  ["a name of the prototype as a kind", rule({ when: { kind: "constructor" } }), "document.when.kind"],
  ["conditions 40 deep", rule({ when: deep(40) }), "deep"],
  ["a bomb of conditions, ten of ten of ten", rule({ when: bomb(3) }), "use at most 32768"],
  ["a smaller bomb, nine of nine", rule({ when: bomb(2) }), "too large or too deep"],
  ["65 conditions", rule({ when: { kind: "all", of: many(65, hot) } }), "too large or too deep"],
  ["a hundred actions", rule({ actions: many(100, event[0]) }), "use at most 16"],
  ["a rule of 40,000 characters", rule({ id: "x".repeat(40_000) }), "use at most 32768"],
  ["a payload of 5,000 characters", rule({ actions: [command("x".repeat(5_000))] }), "use at most 4096"],
  ["a polygon of 10,000 corners", rule({ when: fence(many(10_000, { lat: 0, lon: 0 })) }), "use at most 32768"],
  ["a polygon of 201 corners", rule({ when: fence(many(201, { lat: 0, lon: 0 })) }), "there are 201 corners"],
  ["a window of a year", rule({ when: window(31_536_000_000) }), "document.when.overMs"],
  ["a NUL in a text", rule({ actions: [command("a\0b")] }), "holds a NUL"],
  ["half a character in a text", rule({ actions: [command("\ud800")] }), "NUL or half a character"],
  ["a topic of another tenant", rule({ actions: [{ kind: "event", topic: "../other/x" }] }), "actions[0].topic"],
  ["a collection of another database", rule({ actions: [{ kind: "store", collection: "ws_b/x" }] }), "collection"],
  ["a collection with a dollar", rule({ actions: [{ kind: "store", collection: "$cmd" }] }), "collection"],
  ["a command to all devices", rule({ actions: [{ kind: "command", type: "a/#", payload: {} }] }), "actions[0].type"],
  ["a command to a device elsewhere", rule({ actions: [{ ...command("x"), deviceId: "../../d" }] }), "deviceId"],
  ["a webhook by its address", rule({ actions: [{ kind: "webhook", target: "http://10.0.0.1/" }] }), "target"],
  ["a field that there is none of", rule({ tenant: "other" }), "document.tenant"],
  ["a list in place of a rule", [rule({})], "cannot decode"],
  ["a schema of a billion bytes", { reference: "s", format: bytes(1e9), fields: { a: { type: "number" } } }, "length"],
]);

function bomb(levels: number): object {
  return levels === 0 ? hot : { kind: "any", of: many(10, bomb(levels - 1)) };
}

function command(text: string): object {
  return { kind: "command", type: "a", payload: { text } };
}

function fence(corners: readonly object[]): object {
  return { kind: "geofence", field: "at", on: "enter", area: { kind: "polygon", corners } };
}

function window(overMs: number): object {
  return { kind: "window", field: "t", aggregate: "sum", overMs, is: ">", value: 1 };
}

function bytes(length: number): object {
  return { kind: "binary", fields: [{ name: "a", type: "text", length }] };
}

/** A part of a good connector, and what stands there instead; `undefined` takes it away. */
export const CONNECTORS = table<readonly [string, unknown]>([
  ["an id of another tenant's topic", ["id", "other/devices"], "connector.id"],
  ["an id that climbs", ["id", "../etc"], "connector.id"],
  ["an id with a wildcard", ["id", "a+#"], "connector.id"],
  ["an id of the system", ["id", "$SYS"], "connector.id"],
  ["an id with a NUL", ["id", "a\0b"], "connector.id"],
  ["an id of 300 characters", ["id", "a".repeat(300)], "connector.id"],
  ["no id", ["id", undefined], "connector.id"],
  ["no access", ["access", undefined], "connector.access"],
  ["no config", ["config", undefined], "connector.config"],
  ["no type", ["type", undefined], "connector.type"],
  ["a field that there is none of", ["isAdmin", true], "isAdmin"],
  ["a field of the prototype", ["config.resources.specs.constructor", { a: 1 }], "constructor"],
  ["a nested field that there is none of", ["config.resources.specs.limits", {}], "limits"],
  ["a secret of three characters", ["access.secret", "abc"], "connector.access.secret"],
  ["a digest in place of a secret", ["access.secret", `sha256:${"x".repeat(43)}`], "connector.access.secret"],
  ["a secret of 1,000 characters", ["access.secret", "x".repeat(1_000)], "connector.access.secret"],
  ["sockets without end", ["access.ratelimits.sockets", 4_294_967_295], "connector.access.ratelimits.sockets"],
  ["no sockets at all", ["access.ratelimits.sockets", 0], "connector.access.ratelimits.sockets"],
  ["half a socket", ["access.ratelimits.sockets", 0.5], "sockets"],
  ["a negative size", ["config.resources.specs.database.size", -1], "size"],
  ["a size of all disks", ["config.resources.specs.database.size", 4_000_000_000], "connector.config"],
  ["messages without end", ["config.resources.specs.messagesPerSecond", 4e9], "connector.config"],
  ["both spellings of its limits", ["access.ratelimit", { sockets: 1 }], "says its limits twice"],
  ["a mail address with a line", ["access.maintainers", ["a@b\r\nBcc: x@y"]], "connector.access.maintainers[0]"],
  ["a thousand mail addresses", ["access.maintainers", many(1_000, "a@b.example")], "connector.access.maintainers"],
  ["a name with control characters", ["name", "a\u001b[2J"], "connector.name"],
]);

/** Addresses of a tenant's own database. */
export const DATABASES = table<string>([
  ["the platform's Postgres by its name", "mongodb://postgres:5432", "database.url"],
  ["the platform's MongoDB by its name", "mongodb://mongod:27017", "database.url"],
  ["the loopback", "mongodb://127.0.0.1:27017", "database.url"],
  ["the loopback by its name", "mongodb://localhost:27017", "database.url"],
  ["the loopback by one number", "mongodb://2130706433:27017", "database.url"],
  ["the loopback by a number in hex", "mongodb://0x7f000001:27017", "database.url"],
  ["the loopback by parts in octal", "mongodb://0177.0.0.1:27017", "database.url"],
  ["the loopback in short", "mongodb://127.1:27017", "database.url"],
  ["the loopback of IPv6", "mongodb://[::1]:27017", "database.url"],
  ["the loopback mapped into IPv6", "mongodb://[::ffff:127.0.0.1]:27017", "database.url"],
  ["the same in hex", "mongodb://[::ffff:7f00:1]:27017", "database.url"],
  ["the loopback behind NAT64", "mongodb://[64:ff9b::7f00:1]:27017", "database.url"],
  ["any address", "mongodb://0.0.0.0:27017", "database.url"],
  ["a private network", "mongodb://10.0.0.5:27017", "database.url"],
  ["another private network", "mongodb://192.168.1.1:27017", "database.url"],
  ["the metadata of a cloud", "mongodb://169.254.169.254:80", "database.url"],
  ["a link of IPv6", "mongodb://[fe80::1]:27017", "database.url"],
  ["a private network of IPv6", "mongodb://[fd00::1]:27017", "database.url"],
  ["a good host and a bad one", "mongodb://db.example.com:27017,10.0.0.5:27017", "database.url"],
  ["a bad host behind a user", "mongodb://db.example.com@10.0.0.5:27017", "database.url"],
  ["a socket of the machine", "mongodb://%2Fvar%2Frun%2Fdocker.sock", "database.url"],
  ["a file of the machine as a key", "mongodb://db.example.com/?tlsCAFile=/etc/shadow", "database.url"],
  ["a proxy inside", "mongodb://db.example.com/?proxyHost=10.0.0.5", "database.url"],
  ["credentials of a cloud", "mongodb://db.example.com/?authMechanism=MONGODB-AWS", "database.url"],
  ["a name that only the machine knows", "mongodb+srv://mongod", "database.url"],
  ["another protocol", "http://db.example.com", "database.url"],
  ["a file", "file:///etc/passwd", "database.url"],
  ["nothing that is an address", "mongodb://", "database.url"],
]);

/** Addresses of webhooks. */
export const WEBHOOKS = table<string>([
  ["plain HTTP", "http://hooks.example.com/x", "use https:"],
  ["the loopback", "https://127.0.0.1/x", "no address in the Internet"],
  ["the loopback by one number", "https://2130706433/x", "no address in the Internet"],
  ["the loopback by a number in hex", "https://0x7f000001/x", "no address in the Internet"],
  ["the loopback by parts in octal", "https://0177.0.0.1/x", "no address in the Internet"],
  ["the loopback in short", "https://127.1/x", "no address in the Internet"],
  ["the loopback of IPv6", "https://[::1]/x", "no address in the Internet"],
  ["the loopback mapped into IPv6", "https://[::ffff:127.0.0.1]/x", "no address in the Internet"],
  ["the metadata of a cloud", "https://169.254.169.254/latest/meta-data", "no address in the Internet"],
  ["a private network", "https://10.1.2.3/x", "no address in the Internet"],
  ["a private network of IPv6", "https://[fd12::1]/x", "no address in the Internet"],
  ["a user before a host inside", "https://hooks.example.com@10.0.0.1/x", "it names a user"],
  ["a file", "file:///etc/passwd", "use https:"],
  ["gopher, which speaks anything", "gopher://127.0.0.1:6379/_FLUSHALL", "use https:"],
  ["nothing that is an address", "https://", "it is no address"],
  ["an address of 3,000 characters", `https://a.example/${"x".repeat(3_000)}`, "url"],
]);
