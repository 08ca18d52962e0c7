import { SkepError } from "@skep/core/error.ts";
import type { HttpRequest } from "./reply.ts";

/**
 * How much of a refused body is read and thrown away, so that its sender gets to read the answer.
 */
const DRAIN_BYTES = 64 * 1024 * 1024;

/** The sentence for a body that is too large. */
export function tooLarge(maxBytes: number): string {
  return `The request's body is larger than ${maxBytes} bytes; send less in one request.`;
}

/** Whether a request announces a body above the bound. */
export function announcesTooMuch(request: HttpRequest, maxBytes: number): boolean {
  const length = Number(request.headers["content-length"] ?? 0);
  return Number.isFinite(length) && length > maxBytes;
}

/** Reads and throws away what is left of a body, up to a bound; resolves in any case. */
export function drain(request: HttpRequest): Promise<void> {
  return new Promise(resolve => {
    let read = 0;
    const finish = (): void => resolve();
    request.on("data", (chunk: Buffer) => {
      read += chunk.length;
      if (read <= DRAIN_BYTES) return;
      request.pause();
      finish();
    });
    request.once("end", finish).once("error", finish).once("close", finish);
    if (request.readableEnded) finish();
  });
}

/**
 * @throws SkepError `resource_exhausted` `BODY_TOO_LARGE` where the body exceeds the bound; it is
 * then drained.
 */
export async function readBody(request: HttpRequest, maxBytes: number): Promise<Buffer> {
  const refusal = (): SkepError => new SkepError("resource_exhausted", "BODY_TOO_LARGE", tooLarge(maxBytes));
  if (announcesTooMuch(request, maxBytes)) {
    await drain(request);
    throw refusal();
  }
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else if (length > maxBytes + DRAIN_BYTES) {
        request.pause();
        reject(refusal());
      }
    });
    request.once("end", () => (length > maxBytes ? reject(refusal()) : resolve(Buffer.concat(chunks))));
    request.once("error", reject);
    request.once("close", () =>
      reject(new SkepError("invalid_argument", "BODY_CUT_OFF", "The request's body was cut off.")),
    );
  });
}
