import { request } from "node:http";

/**
 * Whether the registry that `reference` names has it, as the engine behind `socket` sees it: the
 * engine asks the registry for the manifest only. Any other answer, and none within `timeoutMs`, is
 * no.
 */
export function registryHas(socket: string, reference: string, timeoutMs: number): Promise<boolean> {
  return answersOk(socket, `/distribution/${reference}/json`, timeoutMs);
}

/** Whether the engine behind `socket` has the image `reference` itself. */
export function engineHas(socket: string, reference: string): Promise<boolean> {
  return answersOk(socket, `/images/${reference}/json`, 10_000);
}

function answersOk(socket: string, path: string, timeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const asked = request(
      { socketPath: socket, path, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      answer => {
        answer.resume();
        answer.on("error", () => resolve(false));
        answer.on("end", () => resolve(answer.statusCode === 200));
      },
    );
    asked.on("error", () => resolve(false));
    asked.end();
  });
}
