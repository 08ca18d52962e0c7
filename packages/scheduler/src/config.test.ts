import { ConfigError } from "@skep/kit/config.ts";
import { DEFAULT_POOL } from "@skep/core/network/blocks.ts";
import { DEFAULT_SETTINGS } from "@skep/core/world/world.ts";
import { LIMITS } from "@skep/server/limits.ts";
import { limitsOf } from "@skep/server/settings.ts";
import { describe, expect, it } from "vitest";
import { defaultLimitsOf, defaultQuotaOf, podsOf, poolOf, readConfig, retentionOf, settingsOf } from "./config.ts";
import { DEFAULT_RETENTION } from "./loop/retention-settings.ts";

const token = "a-token-of-the-operator";

describe("the configuration", () => {
  it("is complete with a token alone", () => {
    const config = readConfig({ SKEP_API_TOKEN: token });
    expect(config).toMatchObject({ apiPort: 7700, edgePort: 7701, postgresHost: "localhost", logLevel: "info" });
    expect(settingsOf(config)).toEqual(DEFAULT_SETTINGS);
    expect(retentionOf(config)).toEqual(DEFAULT_RETENTION);
    expect(retentionOf(readConfig({ SKEP_API_TOKEN: token, SKEP_KEEP_AUDIT_DAYS: "1" })).auditMs).toBe(86_400_000);
  });

  it.each([{}, { SKEP_API_OPEN: "no" }, { SKEP_API_TOKEN: "" }, { SKEP_API_TOKEN_FILE: "/dev/null" }])(
    "refuses an API without a token that nobody asked for: %o",
    environment => {
      expect(() => readConfig(environment)).toThrow(ConfigError);
      expect(() => readConfig(environment)).toThrow(/SKEP_API_TOKEN_FILE.*SKEP_API_OPEN=yes/);
    },
  );

  it("has an open API where that is said, and then no token", () => {
    expect(readConfig({ SKEP_API_OPEN: "yes" }).apiToken).toBeUndefined();
    expect(() => readConfig({ SKEP_API_OPEN: "yes", SKEP_API_TOKEN: token })).toThrow(/keep one/);
  });

  it("takes the API's limits and the origins of web pages, each with a default", () => {
    const config = readConfig({ SKEP_API_TOKEN: token, SKEP_API_ORIGINS: "https://a.example, https://b.example:8443" });
    expect(config.origins).toEqual(["https://a.example", "https://b.example:8443"]);
    expect(limitsOf(config)).toEqual(LIMITS);
    expect(limitsOf(readConfig({ SKEP_API_TOKEN: token, SKEP_API_BODY_MS: "7" })).bodyMs).toBe(7);
    for (const wrong of ["a.example", "https://a.example/path", "*"])
      expect(() => readConfig({ SKEP_API_TOKEN: token, SKEP_API_ORIGINS: wrong })).toThrow(/SKEP_API_ORIGINS/);
  });

  it("bounds new tenants by default, and not in what is set to 0", () => {
    expect(defaultQuotaOf(readConfig({ SKEP_API_TOKEN: token }))).toEqual({
      ...{ instances: 200, cpuMillis: 200_000, memoryBytes: 107_374_182_400 },
    });
    const config = readConfig({
      SKEP_API_TOKEN: token,
      SKEP_DEFAULT_QUOTA_INSTANCES: "0",
      SKEP_MEMORY_OVERCOMMIT: "3",
    });
    expect(defaultQuotaOf(config).instances).toBeUndefined();
    expect(settingsOf(config).memoryOvercommit).toBe(3);
  });

  it("limits containers that say nothing, within what a spec may say", () => {
    expect(defaultLimitsOf(readConfig({ SKEP_API_TOKEN: token }))).toEqual({
      ...{ cpuMillis: 1000, memoryBytes: 536_870_912, pids: 512 },
    });
    const told = (bytes: string) => readConfig({ SKEP_API_TOKEN: token, SKEP_DEFAULT_LIMIT_MEMORY_BYTES: bytes });
    expect(defaultLimitsOf(told("1073741824")).memoryBytes).toBe(2 ** 30);
    for (const wrong of ["0", "1000", "1e20"]) expect(() => told(wrong)).toThrow(/SKEP_DEFAULT_LIMIT_MEMORY_BYTES/);
  });

  it("keeps tenants off the control plane by default, and as it is told otherwise", () => {
    const told = (word: string) => readConfig({ SKEP_API_TOKEN: token, SKEP_TENANTS_ON_MANAGERS: word });
    expect(settingsOf(readConfig({ SKEP_API_TOKEN: token })).tenantsOnManagers).toBe("avoid");
    expect(settingsOf(told("never")).tenantsOnManagers).toBe("never");
    expect(() => told("sometimes")).toThrow(/SKEP_TENANTS_ON_MANAGERS/);
  });

  it("refuses addresses that cannot be given out in blocks", () => {
    const told = (pool: string, bits: string) =>
      poolOf(readConfig({ SKEP_API_TOKEN: token, SKEP_ADDRESS_POOL: pool, SKEP_ADDRESS_BLOCK_BITS: bits }));
    expect(poolOf(readConfig({ SKEP_API_TOKEN: token }))).toEqual(DEFAULT_POOL);
    expect(told("10.20.0.0/16", "24")).toEqual({ block: { base: 0x0a140000, bits: 16 }, nodeBits: 24 });
    expect(() => told("10.20.0.0/22", "20")).toThrow(/SKEP_ADDRESS_POOL=10.20.0.0\/22.*use 22 to 38/);
    expect(() => told("10.0.0.0/8", "28")).toThrow(/use 8 to 24/);
    expect(() => told("fd00::/8", "20")).toThrow(/SKEP_ADDRESS_POOL/);
  });

  it.each([
    "10.0.0.1:7700",
    "ftp://a",
    "http://localhost:7700",
    "http://a:1,http://127.0.0.1:7700",
    "http://[::1]:7700",
  ])("refuses %s as where pods find the schedulers", url => {
    const read = (): unknown => readConfig({ SKEP_API_TOKEN: token, SKEP_WORKSPACE_API_URL: url });
    expect(read).toThrow(/SKEP_WORKSPACE_API_URL.*localhost is the pod itself/);
  });

  it("makes no pods where nobody said that, and names all places otherwise", () => {
    const podsAt = (url: string) => podsOf(readConfig({ SKEP_API_TOKEN: token, SKEP_WORKSPACE_API_URL: url }))?.apiUrl;
    expect(podsAt("")).toBeUndefined();
    expect(podsAt("http://10.0.0.1:7700, http://b:7700")).toBe("http://10.0.0.1:7700, http://b:7700");
  });

  it("reads the domains that nobody may take", () => {
    const config = readConfig({ SKEP_API_TOKEN: token, SKEP_RESERVED_DOMAINS: "a.example, .b.example" });
    expect(config.reservedDomains).toEqual(["a.example", ".b.example"]);
  });

  it("refuses a lease of exclusive copies that is not five times a leader's", () => {
    const read = (leaseMs: string): unknown =>
      readConfig({ SKEP_API_TOKEN: token, SKEP_LEASE_MS: "2000", SKEP_EXCLUSIVE_LEASE_MS: leaseMs });
    expect(() => read("9999")).toThrow(/SKEP_EXCLUSIVE_LEASE_MS=9999 is too short/);
    expect(() => read("10000")).not.toThrow();
  });

  it("names every variable that is wrong, at once", () => {
    const wrong = { SKEP_API_PORT: "seven", SKEP_LOG_LEVEL: "loud", SKEP_API_TOKEN: "short" };
    const read = (): unknown => readConfig(wrong);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/SKEP_API_PORT[^]*SKEP_LOG_LEVEL/);
  });
});
