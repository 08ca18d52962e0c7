import { systemClock } from "@skep/kit/clock.ts";
import type Docker from "dockerode";
import type { Exec, ExecInspectInfo } from "dockerode";
import type { Duplex } from "node:stream";
import type { Calls } from "./docker-calls.ts";
import { toEngineError } from "./docker-errors.ts";
import { readFrames } from "./docker-logs.ts";
import type { ExecEvent, ExecRequest } from "./engine.ts";
import { EngineError } from "./errors.ts";

const DEADLINE_MS = 15_000;
/** A busy node takes its time to start a process. */
const START_DEADLINE_MS = 60_000;
const LONGEST_PAUSE_MS = 1_000;

/**
 * The engine's side of `Engine.exec`. The connection is the flow control: what nobody takes stays
 * in the engine's pipe.
 */
export async function* runExec(
  docker: Docker,
  calls: Calls,
  containerId: string,
  { argv, stdin }: ExecRequest,
  signal: AbortSignal,
): AsyncGenerator<ExecEvent> {
  const options = { Cmd: [...argv], AttachStdin: stdin.length > 0, AttachStdout: true, AttachStderr: true, Tty: false };
  let connection: Duplex | undefined;
  const hangUp = (): void => void connection?.destroy();
  signal.addEventListener("abort", hangUp, { once: true });
  try {
    // Not under the container's breaker: a person's command must not keep the agent from its own
    // work on it.
    const exec = await calls.call({ deadlineMs: DEADLINE_MS }, abortSignal =>
      docker.getContainer(containerId).exec({ ...options, abortSignal }),
    );
    if (exec === undefined) throw new EngineError("failed", "the engine made no command and did not say why");
    connection = await start(calls, exec);
    if (signal.aborted) hangUp();
    // A program that ends without reading its input breaks the pipe; its exit code says how it
    // fared.
    connection.on("error", () => undefined);
    if (stdin.length > 0) connection.end(stdin);
    yield* follow(connection, () => inspect(calls, exec), signal);
  } catch (error) {
    if (!signal.aborted) throw toEngineError(error);
  } finally {
    signal.removeEventListener("abort", hangUp);
    hangUp();
  }
}

async function start(calls: Calls, exec: Exec): Promise<Duplex> {
  const starting = exec.start({ hijack: true, stdin: true, Tty: false });
  try {
    const connection = await calls.call({ deadlineMs: START_DEADLINE_MS }, () => starting);
    if (connection !== undefined) return connection;
  } catch (error) {
    // One that comes after its deadline has nobody to read it.
    starting.then(late => late.destroy()).catch(() => undefined);
    throw error;
  }
  throw new EngineError("failed", "the engine started no command and did not say why");
}

async function* follow(
  connection: Duplex,
  look: () => Promise<ExecInspectInfo>,
  signal: AbortSignal,
): AsyncGenerator<ExecEvent> {
  let isFirst = true;
  for await (const { stream, data } of readFrames(connection)) {
    // Why a program could not be started comes as its output, on which it had no part: it has no
    // process.
    if (isFirst && neverRan(await look())) throw new EngineError("not_runnable", data.toString("utf8").trim());
    isFirst = false;
    yield { kind: "output", stream, data };
  }
  // A program may close its output long before it ends.
  for (let pauseMs = 10; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const info = await look();
    if (isFirst && neverRan(info))
      throw new EngineError("not_runnable", "the engine could not start the program and did not say why");
    if (!info.Running && info.ExitCode !== null) {
      yield { kind: "exit", code: info.ExitCode };
      return;
    }
    await systemClock.sleep(pauseMs, signal);
  }
}

/**
 * The engine's own codes for what it could not start, without a process that could have ended so.
 */
function neverRan({ Running, ExitCode, Pid }: ExecInspectInfo): boolean {
  return !Running && Pid === 0 && (ExitCode === 126 || ExitCode === 127);
}

async function inspect(calls: Calls, exec: Exec): Promise<ExecInspectInfo> {
  const info = await calls.call({ deadlineMs: DEADLINE_MS }, abortSignal => exec.inspect({ abortSignal }));
  if (info === undefined) throw new EngineError("failed", "the engine does not say how the command fares");
  return info;
}
