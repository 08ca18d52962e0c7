import { pbkdf2Sync } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SecretPlace } from "./secrets.ts";
import { ensureWorkspaceSecrets } from "./workspace-secrets.ts";

let secretsDir: string;
let swarm: Map<string, string>;
beforeEach(async () => {
  secretsDir = await mkdtemp(join(tmpdir(), "skep-secrets-"));
  swarm = new Map();
});
afterEach(() => rm(secretsDir, { recursive: true, force: true }));

function place(): SecretPlace {
  const manager = {
    socket: "/nowhere.sock",
    get: (path: string) => Promise.reject(new Error(`nothing at ${path}`)),
    docker: (argv: readonly string[], options?: { readonly input?: string | Buffer }) => {
      const name = argv.at(-2) ?? "";
      if (swarm.has(name)) throw new Error(`secret ${name} already exists`);
      swarm.set(name, String(options?.input));
      return Promise.resolve("id");
    },
  };
  return { manager, secretsDir, present: new Set(swarm.keys()) };
}

describe("the secrets of workspaces and their engines", () => {
  it("are made once, in the form that each engine takes", async () => {
    await ensureWorkspaceSecrets(place());
    const made = new Map(swarm);
    expect([...made.keys()].toSorted()).toEqual([
      "skep_gate_secret",
      "skep_host_secret",
      "skep_mongodb_key",
      "skep_mongodb_password",
      "skep_mongodb_url",
      "skep_mosquitto_passwords",
      "skep_mqtt_gate_password",
      "skep_mqtt_host_password",
      "skep_redis_auth",
      "skep_redis_url",
      "skep_s3_secret_key",
    ]);
    expect(made.get("skep_mongodb_key")).toMatch(/^[A-Za-z0-9+/]{64}$/);
    expect(made.get("skep_mongodb_url")).toBe(
      `mongodb://skep:${made.get("skep_mongodb_password")}@mongod:27017/?replicaSet=rs&authSource=admin`,
    );
    const [, auth] = /^requirepass ([\w-]{43})\n$/.exec(made.get("skep_redis_auth") ?? "") ?? [];
    expect(made.get("skep_redis_url")).toBe(`redis://:${auth}@redis:6379`);
    for (const line of made.get("skep_mosquitto_passwords")!.trim().split("\n")) {
      const [user = "", , , rounds, salt = "", digest = ""] = line.split(/[:$]/);
      const password = made.get(`skep_mqtt_${user}_password`)!;
      const expected = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(rounds), 64, "sha512");
      expect(digest).toBe(expected.toString("base64"));
      expect(await readFile(join(secretsDir, `mqtt-${user}-password`), "utf8")).toBe(password);
    }
    await ensureWorkspaceSecrets(place());
    expect(swarm).toEqual(made);
  });

  it.each([
    ["mqtt_gate_password", "mosquitto_passwords"],
    ["mongodb_password", "mongodb_url"],
    ["redis_auth", "redis_url"],
  ])("are made of %s that is known here, or not at all (%s)", async (part, whole) => {
    swarm.set(`skep_${part}`, "of another machine");
    await expect(ensureWorkspaceSecrets(place())).rejects.toThrow(`${part.replaceAll("_", "-")} does not exist`);
    swarm.set(`skep_${whole}`, "of another machine");
    await ensureWorkspaceSecrets(place());
  });
});
