import { pbkdf2Sync, randomBytes } from "node:crypto";
import { ensureSecret, unknownSecret, type SecretPlace } from "./secrets.ts";

/**
 * Sees to it that the Swarm has the secrets of `stack/workspaces.yml`, and those that hosts of
 * workspaces will show to its engines.
 * @throws Error when the broker's file of passwords is to be made of passwords that are not known
 * here.
 */
export async function ensureWorkspaceSecrets(place: SecretPlace): Promise<void> {
  const passwords: string[] = [];
  for (const user of ["gate", "host"]) {
    const name = `mqtt_${user}_password`;
    const password = await ensureSecret(place, name);
    if (password === undefined && !place.present.has("skep_mosquitto_passwords"))
      throw unknownSecret(name, place.secretsDir);
    passwords.push(`${user}:${mosquittoHash(password ?? "")}\n`);
  }
  await ensureSecret(place, "mosquitto_passwords", () => passwords.join(""));
  // The server takes no key with other signs than those of base64.
  await ensureSecret(place, "mongodb_key", () => randomBytes(48).toString("base64"));
  await ensureSecret(place, "mongodb_password");
  await ensureSecret(place, "redis_auth", () => `requirepass ${randomBytes(32).toString("base64url")}\n`);
  await ensureSecret(place, "s3_secret_key");
}

/** As `mosquitto_passwd` writes it; the passwords are random, so that few rounds are enough. */
function mosquittoHash(password: string): string {
  const [rounds, salt] = [101, randomBytes(12)];
  const digest = pbkdf2Sync(password, salt, rounds, 64, "sha512");
  return `$7$${rounds}$${salt.toString("base64")}$${digest.toString("base64")}`;
}
