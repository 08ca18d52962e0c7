import { describe, expect, it } from "vitest";
import { databaseUrlIssues } from "./database-url.ts";

const problems = (url: string, allowed: readonly string[] = []): readonly string[] =>
  databaseUrlIssues(url, allowed).map(one => one.problem);

describe("the address of a tenant's own database", () => {
  it.each([
    "mongodb://db.example.com",
    "mongodb://tenant:p%40ss@db.example.com:27017/data",
    "mongodb://tenant:***@db.example.com/data",
    "mongodb://a.example.com:27017,b.example.com:27018,8.8.8.8/data?replicaSet=rs0&authSource=admin&tls=true",
    "mongodb+srv://u:p@cluster0.abcde.mongodb.net/data?retryWrites=true&w=majority",
    "mongodb://[2a01:4f8::1]:27017/data",
    "mongodb://db.example.com/?authMechanism=SCRAM-SHA-256",
  ])("is good in the Internet: %s", url => {
    expect(problems(url)).toEqual([]);
  });

  it.each([
    ...["mongodb://localhost/data", "mongodb://LOCALHOST:27017", "mongodb://a.localhost", "mongodb://127.0.0.1"],
    ...[
      "mongodb://postgres:5432",
      "mongodb://nats",
      "mongodb://tasks.scheduler.example",
      "mongodb://skep_redis.skep.x",
    ],
    ...[
      "mongodb://10.77.0.11:27017/data",
      "mongodb://169.254.169.254/latest",
      "mongodb://[::1]",
      "mongodb://[fd00::1]:1",
    ],
    ...["mongodb://2130706433", "mongodb://0x7f.1", "mongodb://127.1", "mongodb://[::ffff:127.0.0.1]"],
    ...["mongodb://db.example.com,10.0.0.1/data", "mongodb://host.docker.internal", "mongodb://localhost./data"],
    ...["mongodb://metadata.google.internal", "mongodb+srv://redis", "mongodb://printer.local", "mongodb://router.lan"],
  ])("is refused in the platform's own network: %s", url => {
    expect(databaseUrlIssues(url, [])).toMatchObject([{ path: "config.resources.specs.database.url" }]);
    expect(databaseUrlIssues(url, [])[0]?.advice).toContain("SKEP_WORKSPACE_DATABASE_HOSTS");
  });

  it("may be inside where the operator allows the host, and nowhere else", () => {
    expect(problems("mongodb://custom:27017/tenant-db", ["custom"])).toEqual([]);
    expect(problems("mongodb://a.db.internal,10.0.0.9", [".DB.internal", "10.0.0.9"])).toEqual([]);
    expect(problems("mongodb://db.internal", [".db.internal"])).toHaveLength(1);
    expect(problems("mongodb://custom,other", ["custom"])).toEqual(["other is a name of the platform's own network"]);
  });

  it.each([
    ...["", "postgres://db.example.com", "mongodb:/db.example.com", "mongodb://", "mongodb://a b.example.com"],
    ...[
      "mongodb://u:p@10.0.0.1@db.example.com",
      "mongodb://u@x:y@db.example.com",
      "mongodb://db.example.com#@10.0.0.1",
    ],
    ...["mongodb://db.example.com/..\\x", "mongodb://%2Ftmp%2Fmongodb-27017.sock", "mongodb://db.example.com/a/b"],
    ...["mongodb://db.example.com\n", "http://db.example.com", "mongodb://u:p/q@db.example.com"],
    ...["mongodb://db.example.com:0", "mongodb://db.example.com:65536", "mongodb://db.example.com:", "mongodb://a,,b"],
    ...["mongodb+srv://db.example.com:27017", "mongodb+srv://a.example.com,b.example.com", "mongodb://-a.example.com"],
  ])("is refused where it is none: %j", url => {
    expect(problems(url).length).toBeGreaterThan(0);
  });

  it.each([
    ...["tlsCAFile=/etc/passwd", "tlsCertificateKeyFile=/x", "proxyHost=10.0.0.1", "authMechanism=MONGODB-AWS"],
    ...[
      "authMechanism=MONGODB-OIDC",
      "authMechanismProperties=ENVIRONMENT:azure",
      "autoEncryption=1",
      "loadBalanced=true",
    ],
    ...["tlsInsecure=true", "srvServiceName=x", "=", "%70roxyHost=10.0.0.1"],
  ])("is refused with the option %s", option => {
    expect(problems(`mongodb://db.example.com/data?${option}`)).toHaveLength(1);
  });

  it("is refused without a word of its password", () => {
    for (const url of ["mongodb://u:hunter2@localhost", "mongodb://u:hunter2@@x", "x://u:hunter2@y"])
      expect(JSON.stringify(databaseUrlIssues(url, []))).not.toContain("hunter2");
  });
});
