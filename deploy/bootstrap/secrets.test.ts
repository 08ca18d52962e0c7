import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publicKeyOf } from "@skep/kit/nats-keys.ts";
import type { Manager } from "./manager.ts";
import { ensureSecrets, openSecretPlace } from "./secrets.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "skep-secrets-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/**
 * The secrets of a Swarm, in memory: the docker client's words for making, listing and inspecting
 * them.
 */
function swarmOfSecrets(): Manager & { readonly values: Map<string, string>; readonly commandLines: string[] } {
  const values = new Map<string, string>();
  const labels = new Map<string, string>();
  const commandLines: string[] = [];
  return {
    socket: "/nowhere.sock",
    values,
    commandLines,
    get: path => Promise.reject(new Error(`nothing at ${path}`)),
    async docker(argv, options) {
      commandLines.push(argv.join(" "));
      const name = argv.at(argv[1] === "create" ? -2 : -1) ?? "";
      if (argv[1] === "ls") return [...values.keys()].join("\n");
      if (argv[1] === "inspect") return `${labels.get(name) ?? ""}\n`;
      if (values.has(name)) throw new Error(`secret ${name} already exists`);
      values.set(name, String(options?.input ?? ""));
      const label = argv.find(word => word.startsWith("skep.content="));
      if (label !== undefined) labels.set(name, label.slice("skep.content=".length));
      return "id";
    },
  };
}

describe("ensureSecrets", () => {
  it("makes every secret of the stack, and tells nobody but the Swarm and files of this user", async () => {
    const swarm = swarmOfSecrets();
    const { apiToken, env } = await ensureSecrets(await openSecretPlace(swarm, join(directory, "kept")));
    expect([...swarm.values.keys()].toSorted()).toEqual([
      "skep_api_token",
      "skep_nats_auth",
      "skep_nats_issuer_seed",
      "skep_nats_join_secret",
      "skep_nats_operator_password",
      "skep_nats_scheduler_password",
      "skep_nats_system_seed",
      "skep_postgres_password",
    ]);
    expect(env).toEqual({ SKEP_NATS_AUTH_SECRET: "skep_nats_auth" });
    expect(swarm.values.get("skep_api_token")).toBe(apiToken);
    for (const value of swarm.values.values()) expect(swarm.commandLines.join("\n")).not.toContain(value);
    expect((await stat(join(directory, "kept"))).mode & 0o777).toBe(0o700);
    for (const name of await readdir(join(directory, "kept"))) {
      expect((await stat(join(directory, "kept", name))).mode & 0o777).toBe(0o600);
    }
  });

  it("gives each user of the bus the password that its service gets", async () => {
    const swarm = swarmOfSecrets();
    await ensureSecrets(await openSecretPlace(swarm, directory));
    const auth = swarm.values.get("skep_nats_auth");
    for (const user of ["scheduler", "operator"]) {
      expect(auth).toContain(`user: ${user}, password: "${swarm.values.get(`skep_nats_${user}_password`)}"`);
    }
  });

  it("tells the bus the public halves of the keys, and never the seeds", async () => {
    const swarm = swarmOfSecrets();
    await ensureSecrets(await openSecretPlace(swarm, directory));
    const auth = swarm.values.get("skep_nats_auth") ?? "";
    for (const name of ["skep_nats_issuer_seed", "skep_nats_system_seed"]) {
      const seed = swarm.values.get(name) ?? "";
      expect(auth).toContain(publicKeyOf(seed));
      expect(auth).not.toContain(seed);
    }
    expect(auth).not.toContain(swarm.values.get("skep_nats_join_secret"));
  });

  it("changes nothing the second time", async () => {
    const swarm = swarmOfSecrets();
    const first = await ensureSecrets(await openSecretPlace(swarm, directory));
    const before = new Map(swarm.values);
    expect(await ensureSecrets(await openSecretPlace(swarm, directory))).toEqual(first);
    expect(swarm.values).toEqual(before);
  });

  it("goes on where a crash ended it: a value on disk that the Swarm does not have yet is used", async () => {
    const swarm = swarmOfSecrets();
    await writeFile(join(directory, "api-token"), "written-before-the-crash");
    expect((await ensureSecrets(await openSecretPlace(swarm, directory))).apiToken).toBe("written-before-the-crash");
    expect(swarm.values.get("skep_api_token")).toBe("written-before-the-crash");
  });

  it("says what to do when another machine knows the token", async () => {
    const swarm = swarmOfSecrets();
    await ensureSecrets(await openSecretPlace(swarm, directory));
    await rm(join(directory, "api-token"));
    await expect(ensureSecrets(await openSecretPlace(swarm, directory))).rejects.toThrow(
      /api-token does not exist.*copy that file/s,
    );
  });

  it("makes a new secret beside one that lists other subjects", async () => {
    const swarm = swarmOfSecrets();
    await ensureSecrets(await openSecretPlace(swarm, directory));
    await writeFile(join(directory, "nats-operator-password"), "rotated");
    const { env } = await ensureSecrets(await openSecretPlace(swarm, directory));
    expect(env["SKEP_NATS_AUTH_SECRET"]).toMatch(/^skep_nats_auth_[0-9a-f]{12}$/);
    expect(swarm.values.get(env["SKEP_NATS_AUTH_SECRET"] ?? "")).toContain('"rotated"');
    expect(await readFile(join(directory, "nats-operator-password"), "utf8")).toBe("rotated");
  });
});
