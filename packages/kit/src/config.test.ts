import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { ConfigError, loadConfig, secret, setting, showConfig } from "./config.ts";

describe("A configuration", () => {
  const settings = {
    natsUrl: setting("SKEP_NATS_URL", z.url().default("nats://nats:4222"), "where NATS is"),
    port: setting("SKEP_PORT", z.coerce.number().int().min(1).max(65_535), "the API's port"),
    natsPassword: secret("SKEP_NATS_PASSWORD", z.string().min(8), "the password for NATS"),
  };
  let directory: string;
  beforeAll(() => (directory = mkdtempSync(join(tmpdir(), "skep-config-"))));
  afterAll(() => rmSync(directory, { recursive: true }));

  test("takes values from variables and secrets from files, with defaults, and is frozen", () => {
    const file = join(directory, "password");
    writeFileSync(file, "correct horse\n");
    const config = loadConfig(settings, { SKEP_PORT: "8080", SKEP_NATS_PASSWORD_FILE: file, SKEP_NATS_URL: "" });
    expect(config).toEqual({ natsUrl: "nats://nats:4222", port: 8080, natsPassword: "correct horse" });
    expect(Object.isFrozen(config)).toBe(true);
    expect(showConfig(settings, config)).toMatchObject({ SKEP_PORT: 8080, SKEP_NATS_PASSWORD: "***" });
  });

  test("names every problem at once, and never the value of a secret", () => {
    const load = () => loadConfig(settings, { SKEP_NATS_URL: "not a url", SKEP_NATS_PASSWORD: "short" });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/3 problems/);
    expect(load).toThrow(/SKEP_NATS_URL is "not a url", which is not right \(where NATS is\)/);
    expect(load).toThrow(/SKEP_PORT is not set \(the API's port\): set it, or SKEP_PORT_FILE/);
    expect(load).toThrow(/SKEP_NATS_PASSWORD is a value, which is not right/);
    expect(load).not.toThrow(/short/);
  });

  test("refuses a file that cannot be read, and a variable that is set beside its file", () => {
    const environment = { SKEP_PORT: "1", SKEP_PORT_FILE: "/nowhere", SKEP_NATS_PASSWORD_FILE: "/nowhere/secret" };
    const load = () => loadConfig(settings, environment);
    expect(load).toThrow(/SKEP_PORT and SKEP_PORT_FILE are both set: keep one of them/);
    expect(load).toThrow(/SKEP_NATS_PASSWORD_FILE names \/nowhere\/secret, which cannot be read/);
  });
});
