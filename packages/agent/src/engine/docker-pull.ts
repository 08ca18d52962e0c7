import type { PullProgress } from "./engine.ts";
import { toPullError } from "./docker-errors.ts";

interface PullLine {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/**
 * Reads a pull's progress to its end, and answers the digest that it ends with.
 * @throws EngineError with the registry's words, where the pull fails on the way.
 */
export async function followPull(
  chunks: AsyncIterable<Buffer>,
  onProgress: (progress: PullProgress) => void,
): Promise<string> {
  const layers = new Map<string, { current: number; total: number }>();
  let rest = "";
  let digest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
  take(rest);
  return digest;

  function take(text: string): void {
    if (text.trim() === "") return;
    const line = JSON.parse(text) as PullLine;
    if (line.error !== undefined) throw toPullError(line.error);
    digest = /^Digest: (\S+)$/.exec(line.status ?? "")?.[1] ?? digest;
    const { current, total } = line.progressDetail ?? {};
    if (line.id !== undefined && line.status === "Downloading" && current !== undefined && total !== undefined) {
      layers.set(line.id, { current, total });
    } else if (line.id !== undefined && (line.status === "Download complete" || line.status === "Pull complete")) {
      const layer = layers.get(line.id);
      if (layer !== undefined) layers.set(line.id, { current: layer.total, total: layer.total });
    }
    onProgress({ share: share(layers) });
  }
}

function share(layers: ReadonlyMap<string, { current: number; total: number }>): number | undefined {
  let [current, total] = [0, 0];
  for (const layer of layers.values()) [current, total] = [current + layer.current, total + layer.total];
  return total === 0 ? undefined : current / total;
}
