import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { permissionOf } from "@skep/api/permissions.ts";
import { SERVICES } from "@skep/api/services.ts";
import { anOperator } from "@skep/core/access/principal.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import { createTestPlatform } from "@skep/scheduler/api/testing/platform.ts";
import type { TestPlatform } from "@skep/scheduler/api/testing/platform.ts";
import { createHandlers } from "@skep/scheduler/api/handlers.ts";
import { knowTokens } from "@skep/server/auth.ts";
import { startServer } from "@skep/server/server.ts";
import type { ApiServer } from "@skep/server/server.ts";
import type { Io } from "../io.ts";
import { run } from "../run.ts";

/** What a command line left behind. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A platform on a port of this machine, and a directory to run `skep` in. */
export interface CommandTest extends AsyncDisposable {
  readonly platform: TestPlatform;
  readonly url: string;
  readonly folder: string;
  /** Writes a file into the directory. */
  write(file: string, text: string): void;
  /** Stops the scheduler as an update would, and starts it again on the same port. */
  restart(): Promise<void>;
  /** Runs one command line, as a shell would split it at blanks. */
  skep(line: string, over?: Partial<Io>): Promise<Outcome>;
}

/** The token of such a platform. */
export const TOKEN = "s3cret-token";

/** Starts one with nodes `n1` (manager) and `n2`; deployments converge by themselves. */
export async function startCommandTest(
  options: { readonly auth?: boolean; readonly defaultLimits?: Limits } = {},
): Promise<CommandTest> {
  const { defaultLimits } = options;
  const platform = createTestPlatform(defaultLimits === undefined ? {} : { defaultLimits });
  await platform.addNodes(
    { id: "node1", hostname: "n1", address: "10.0.0.1", role: "manager" },
    { id: "node2", hostname: "n2", address: "10.0.0.2", labels: { compute: "true" } },
  );
  platform.runByItself();
  const serve = (port: number): Promise<ApiServer> =>
    startServer({
      port,
      host: "127.0.0.1",
      routes: createHandlers(platform.deps),
      services: SERVICES,
      auth:
        options.auth === true
          ? { authenticate: knowTokens(new Map([[TOKEN, anOperator("ann")]])), permissionOf }
          : undefined,
      ready: {},
      log: platform.deps.log,
    });
  let server = await serve(0);
  const outer = mkdtempSync(join(tmpdir(), "skep-cli-"));
  // It names the project of the files in it.
  const folder = join(outer, "app");
  mkdirSync(folder);
  const url = `http://127.0.0.1:${server.port}`;
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  return {
    platform,
    url,
    folder,
    write,
    restart: async () => {
      await server.close(1_000);
      server = await serve(server.port);
    },
    skep: (line, over) => runCommand(line, { cwd: folder, env: { SKEP_URL: url, HOME: folder }, ...over }),
    [Symbol.asyncDispose]: async () => {
      await server.close(0);
      rmSync(outer, { recursive: true });
    },
  };
}

/** Runs one command line without a platform. */
export async function runCommand(line: string, over: Partial<Io> = {}): Promise<Outcome> {
  let out = "";
  let err = "";
  const io: Io = {
    env: {},
    cwd: "/nowhere",
    isTty: false,
    width: 200,
    signal: new AbortController().signal,
    out: text => void (out += asText(text)),
    err: text => void (err += asText(text)),
    now: () => Date.now(),
    sleep: delayMs => new Promise(resolve => setTimeout(resolve, delayMs)),
    readInput: () => "",
    readBytes: () => new Uint8Array(),
    ...over,
  };
  const code = await run(
    line.split(" ").filter(word => word !== ""),
    io,
  );
  return { code, out, err };
}

function asText(written: string | Uint8Array): string {
  return typeof written === "string" ? written : new TextDecoder().decode(written);
}
