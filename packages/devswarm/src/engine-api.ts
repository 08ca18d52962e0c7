import { request } from "node:http";

/** An engine's refusal: `status` is its HTTP status, the message is its own. */
export class EngineError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "EngineError";
    this.status = status;
  }
}

/** The part of an engine's /info that says how it stands to its swarm. */
export interface EngineInfo {
  readonly Name: string;
  readonly ServerVersion: string;
  readonly OperatingSystem: string;
  readonly Swarm: {
    readonly LocalNodeState: string;
    readonly NodeID: string;
    readonly NodeAddr: string;
    readonly ControlAvailable: boolean;
  };
}

/** A node as a manager lists it. */
export interface SwarmNode {
  readonly ID: string;
  readonly Description: { readonly Hostname: string };
  readonly Status: { readonly State: string; readonly Addr: string };
}

/**
 * One request to an engine over its socket, in the engine's newest API version. Throws
 * `EngineError` for a refusal and the socket's error when nobody answers within `timeoutMs`.
 */
export function askEngine<T>(
  socket: string,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
  timeoutMs = 30_000,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      payload === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) };
    const asked = request(
      { socketPath: socket, method, path, headers, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      answer => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const status = answer.statusCode ?? 0;
          if (status >= 400) reject(new EngineError(status, `${method} ${path} on ${socket}: ${messageIn(text)}`));
          else resolve(parsed(text) as T);
        });
      },
    );
    asked.on("error", cause =>
      reject(new Error(`${method} ${path}: no answer on ${socket}: ${cause.message}`, { cause })),
    );
    asked.end(payload);
  });
}

/** Whether an engine answers on the socket now. */
export async function answers(socket: string): Promise<boolean> {
  try {
    await askEngine(socket, "GET", "/_ping", undefined, 2_000);
    return true;
  } catch {
    return false;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageIn(text: string): string {
  const body = parsed(text);
  return typeof body === "object" && body !== null && "message" in body ? String(body.message) : text;
}
