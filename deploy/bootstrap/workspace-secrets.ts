import { randomBytes } from "node:crypto";
import { brokerPasswords } from "@skep/workspace/gate/broker-files.ts";
import { HOSTS_USER } from "@skep/workspace/replica-set/hosts-user.ts";
import { ensureSecret, unknownSecret, type SecretPlace } from "./secrets.ts";

/**
 * Sees to it that the Swarm has the secrets of `stack/workspaces.yml`: what hosts and gate show to
 * the schedulers and to the engines, and what the engines know of them.
 * @throws Error when one is to be made of another that is not known here.
 */
export async function ensureWorkspaceSecrets(place: SecretPlace): Promise<void> {
  await ensureSecret(place, "host_secret");
  await ensureSecret(place, "gate_secret");
  await ensureBroker(place);
  // The server takes no key with other signs than those of base64.
  await ensureSecret(place, "mongodb_key", () => randomBytes(48).toString("base64"));
  const password = await ensureSecret(place, "mongodb_password");
  await ensureMadeOf(place, "mongodb_url", { mongodb_password: password }, known => {
    const login = `${HOSTS_USER}:${known["mongodb_password"]}`;
    return `mongodb://${login}@mongod:27017/?replicaSet=rs&authSource=admin`;
  });
  const auth = await ensureSecret(place, "redis_auth", () => `requirepass ${randomBytes(32).toString("base64url")}\n`);
  await ensureMadeOf(place, "redis_url", { redis_auth: auth }, known => {
    const [, word = ""] = known["redis_auth"]?.trim().split(" ") ?? [];
    return `redis://:${word}@redis:6379`;
  });
  await ensureSecret(place, "s3_secret_key");
}

async function ensureBroker(place: SecretPlace): Promise<void> {
  const gate = await ensureSecret(place, "mqtt_gate_password");
  const host = await ensureSecret(place, "mqtt_host_password");
  await ensureMadeOf(place, "mosquitto_passwords", { mqtt_gate_password: gate, mqtt_host_password: host }, known =>
    brokerPasswords({ gate: known["mqtt_gate_password"] ?? "", host: known["mqtt_host_password"] ?? "" }),
  );
}

/** A secret that others are in; what the Swarm has already stays, whether they are known or not. */
async function ensureMadeOf(
  place: SecretPlace,
  name: string,
  parts: Readonly<Record<string, string | undefined>>,
  make: (known: Readonly<Record<string, string>>) => string,
): Promise<void> {
  const known: Record<string, string> = {};
  for (const [part, value] of Object.entries(parts)) {
    if (value !== undefined) known[part] = value;
    else if (!place.present.has(`skep_${name}`)) throw unknownSecret(part, place.secretsDir);
  }
  await ensureSecret(place, name, () => make(known));
}
