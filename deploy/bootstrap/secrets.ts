import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manager } from "./manager.ts";
import { newNatsKey, publicKeyOf } from "@skep/kit/nats-keys.ts";
import { natsAuth, natsUsers, type NatsUser } from "./nats-auth.ts";

/** What {@link ensureSecrets} settled. */
export interface StackSecrets {
  readonly apiToken: string;
  /** Variables of the stack file for secrets that bear another name than its default. */
  readonly env: Readonly<Record<string, string>>;
}

const prefix = "skep_";

/** Where secrets are: a Swarm, and what is known of their values here. */
export interface SecretPlace {
  readonly manager: Manager;
  /** 0700; its files, one for each value, 0600. */
  readonly secretsDir: string;
  /** Names of the secrets that the Swarm had. */
  readonly present: ReadonlySet<string>;
}

/** Makes the directory, and asks the Swarm what it has. */
export async function openSecretPlace(manager: Manager, secretsDir: string): Promise<SecretPlace> {
  await mkdir(secretsDir, { recursive: true, mode: 0o700 });
  await chmod(secretsDir, 0o700);
  const present = new Set((await manager.docker(["secret", "ls", "--format", "{{.Name}}"])).split("\n"));
  return { manager, secretsDir, present };
}

/**
 * Sees to it that the Swarm has every secret of the stack. A value is first written to `secretsDir`
 * (0700, files 0600), then handed to Docker on stdin, so that a crash in between leaves nothing
 * that nobody knows. What is there already stays.
 * @throws Error when the Swarm has the API token or a password that is needed and `secretsDir` does
 * not know it.
 */
export async function ensureSecrets(place: SecretPlace): Promise<StackSecrets> {
  const { manager, secretsDir, present } = place;
  const auth = await natsAuthText(place);
  await ensureSecret(place, "nats_join_secret");
  await ensureSecret(place, "postgres_password");
  const apiToken = await ensureSecret(place, "api_token");
  if (apiToken === undefined) throw unknownSecret("api_token", secretsDir);
  return { apiToken, env: auth === undefined ? {} : await ensureNatsAuth(manager, present, auth) };
}

/**
 * What NATS is to know of its users; `undefined` when the Swarm has it and another machine knows
 * the values that it is made from.
 */
async function natsAuthText(place: SecretPlace): Promise<string | undefined> {
  const { secretsDir, present } = place;
  const values = new Map<string, string | undefined>();
  const wanted = [
    ...natsUsers.map(user => [`nats_${user}_password`, randomText] as const),
    ["nats_issuer_seed", () => newNatsKey("account").seed],
    ["nats_system_seed", () => newNatsKey("user").seed],
  ] as const;
  for (const [name, make] of wanted) {
    const value = await ensureSecret(place, name, make);
    if (value === undefined && !present.has(`${prefix}nats_auth`)) throw unknownSecret(name, secretsDir);
    values.set(name, value);
  }
  if ([...values.values()].includes(undefined)) return undefined;
  const passwordOf = (user: NatsUser): string => values.get(`nats_${user}_password`) ?? "";
  const passwords = { scheduler: passwordOf("scheduler"), operator: passwordOf("operator") };
  const publicOf = (name: string): string => publicKeyOf(values.get(name) ?? "");
  return natsAuth(passwords, { issuer: publicOf("nats_issuer_seed"), system: publicOf("nats_system_seed") });
}

/** 32 random bytes. */
function randomText(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * One secret, 32 random bytes unless `make` says otherwise. Returns its value, or `undefined` when
 * only the Swarm knows it.
 */
export async function ensureSecret(
  { manager, secretsDir, present }: SecretPlace,
  name: string,
  make: () => string = randomText,
): Promise<string | undefined> {
  const file = join(secretsDir, name.replaceAll("_", "-"));
  const known = await readFile(file, "utf8").catch(() => undefined);
  if (present.has(prefix + name)) return known;
  const value = known ?? make();
  if (known === undefined) {
    await writeFile(`${file}.new`, value, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
  await manager.docker(["secret", "create", prefix + name, "-"], { input: value });
  return value;
}

/**
 * A secret cannot be changed: where a newer Skep gives its users other subjects, the stack gets one
 * of another name.
 */
async function ensureNatsAuth(
  manager: Manager,
  present: ReadonlySet<string>,
  content: string,
): Promise<Record<string, string>> {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const plain = `${prefix}nats_auth`;
  const label = '{{index .Spec.Labels "skep.content"}}';
  const isPlain =
    !present.has(plain) || (await manager.docker(["secret", "inspect", "--format", label, plain])).trim() === hash;
  const name = isPlain ? plain : `${plain}_${hash}`;
  if (!present.has(name))
    await manager.docker(["secret", "create", "--label", `skep.content=${hash}`, name, "-"], { input: content });
  return { SKEP_NATS_AUTH_SECRET: name };
}

/** What is said where a value is needed that only the Swarm has. */
export function unknownSecret(name: string, secretsDir: string): Error {
  const file = join(secretsDir, name.replaceAll("_", "-"));
  return new Error(
    `this Swarm has the secret ${prefix}${name}, but ${file} does not exist, so its value is not known here; ` +
      `copy that file from the machine that made the secret, or remove the stack and the secret (docker secret rm ${prefix}${name}) and run this again`,
  );
}
