import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { SkepError } from "@skep/core/error.ts";
import { readServers } from "@skep/sdk/failover.ts";
import type { Io } from "../io.ts";

/** One control plane and how to reach it. The token itself stands in a file of its own. */
export interface Context {
  /** Its servers, separated by commas. */
  readonly url: string;
  readonly tokenFile?: string;
  /** Tenant for commands that are given none. */
  readonly tenant?: string;
}

/** The context file: named contexts, one of them current. */
export interface ContextFile {
  readonly current?: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

/** Where a fleet on this machine answers when nothing else is said. */
export const DEFAULT_URL = "http://localhost:7700";

/** `SKEP_CONTEXT_FILE`, else `skep/context.json` in the user's configuration directory. */
export function contextPath(io: Io): string {
  const given = io.env["SKEP_CONTEXT_FILE"];
  if (given !== undefined && given !== "") return given;
  const config = io.env["XDG_CONFIG_HOME"];
  const base = config !== undefined && config !== "" ? config : join(io.env["HOME"] ?? homedir(), ".config");
  return join(base, "skep", "context.json");
}

/**
 * The stored contexts; none where there is no file. @throws SkepError `invalid_argument` where it
 * cannot be read.
 */
export function readContexts(io: Io): ContextFile {
  const path = contextPath(io);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { contexts: {} };
    throw broken(path, error);
  }
  try {
    const parsed = JSON.parse(text) as Partial<ContextFile>;
    if (typeof parsed.contexts !== "object") throw new Error("it has no `contexts`");
    return { ...parsed, contexts: parsed.contexts };
  } catch (error) {
    throw broken(path, error);
  }
}

/** Writes the file for its owner only, whole or not at all. */
export function writeContexts(io: Io, contexts: ContextFile): void {
  writeSecret(contextPath(io), `${JSON.stringify(contexts, undefined, 2)}\n`);
}

/** Keeps a token beside the context file, readable by its owner only, and answers where. */
export function storeToken(io: Io, name: string, token: string): string {
  const path = join(dirname(contextPath(io)), "tokens", name);
  writeSecret(path, `${token}\n`);
  return path;
}

/**
 * The context that counts: `--context`, then SKEP_URL and SKEP_TOKEN_FILE, then the current one,
 * then this machine.
 */
export function currentContext(io: Io, name: string | undefined): Context {
  const fromEnv = io.env["SKEP_URL"];
  const tokenFile = io.env["SKEP_TOKEN_FILE"];
  const tenant = io.env["SKEP_TENANT"];
  const own = { ...(tokenFile ? { tokenFile } : {}), ...(tenant ? { tenant } : {}) };
  if (name === undefined && fromEnv !== undefined && fromEnv !== "") return { url: fromEnv, ...own };
  const file = readContexts(io);
  const wanted = name ?? file.current;
  if (wanted === undefined) return { url: DEFAULT_URL, ...own };
  const found = file.contexts[wanted];
  if (found !== undefined) return name === undefined ? { ...found, ...own } : found;
  const known = Object.keys(file.contexts);
  throw new SkepError(
    "not_found",
    "CONTEXT_UNKNOWN",
    `There is no context \`${wanted}\` in ${contextPath(io)}. ` +
      (known.length === 0 ? "Add one with `skep login URL --name NAME`." : `Known are: ${known.join(", ")}.`),
  );
}

/**
 * Checks the servers of a platform, separated by commas; `from` says where they are from.
 * @throws SkepError `invalid_argument` `BAD_URL` for what is no address of a platform.
 */
export function checkUrls(text: string, from: string): void {
  for (const url of readServers(text)) checkUrl(url, from);
}

function checkUrl(url: string, from: string): void {
  const parsed = URL.parse(url);
  if (parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.username === "" && parsed.password === "") return;
  throw new SkepError(
    "invalid_argument",
    "BAD_URL",
    `${from} \`${url.replace(/\/\/\S*@/, "//***@")}\` is no address of a platform. Write http:// or https://, a host and a port, and no password.`,
  );
}

/**
 * @throws SkepError `invalid_argument` `BAD_TOKEN` for what no header can carry; `from` says where
 * it was.
 */
export function checkToken(token: string, from: string): void {
  if (/^[\x21-\x7e]+$/.test(token)) return;
  throw new SkepError(
    "invalid_argument",
    "BAD_TOKEN",
    `${from} holds no token: it has to be one word of printable letters.`,
  );
}

/**
 * The token: of SKEP_TOKEN (for pipelines that have no files), else of the context's file. A file
 * that others may read is used with a warning. @throws SkepError `unauthenticated` where it cannot
 * be read, `invalid_argument` where it holds none.
 */
export function readToken(io: Io, context: Context): string | undefined {
  const given = io.env["SKEP_TOKEN"];
  if (given !== undefined && given !== "") {
    checkToken(given.trim(), "SKEP_TOKEN");
    return given.trim();
  }
  if (context.tokenFile === undefined) return undefined;
  const token = readTokenFile(io, context.tokenFile);
  checkToken(token, `The token file ${context.tokenFile}`);
  return token;
}

function readTokenFile(io: Io, path: string): string {
  try {
    const token = readFileSync(path, "utf8").trim();
    if ((statSync(path).mode & 0o077) !== 0)
      io.err(`skep: the token file ${path} can be read by others. Run: chmod 600 ${path}\n`);
    return token;
  } catch (error) {
    throw new SkepError(
      "unauthenticated",
      "TOKEN_FILE_UNREADABLE",
      `The token file ${path} cannot be read: ${(error as Error).message}. Log in again with \`skep login\`, or set SKEP_TOKEN_FILE.`,
      { cause: error },
    );
  }
}

function writeSecret(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, text, { mode: 0o600 });
  chmodSync(fresh, 0o600);
  renameSync(fresh, path);
}

function broken(path: string, error: unknown): SkepError {
  const why = error instanceof Error ? error.message : String(error);
  return new SkepError(
    "invalid_argument",
    "CONTEXT_FILE_BROKEN",
    `The context file ${path} cannot be read: ${why}. Correct or remove it, then run \`skep login\`.`,
    { cause: error },
  );
}
