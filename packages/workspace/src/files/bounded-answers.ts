import { pipeline, Readable, Transform } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { SkepError } from "@skep/core/error.ts";

/** A page of 1,000 files takes a third of it. */
const MOST_ANSWER = 4 * 1024 * 1024;

/**
 * Bounds what a client keeps of an answer. Its library reads whole answers into memory, but for
 * files, and a tenant's own server could send one without an end.
 */
export function boundAnswers(client: S3Client): S3Client {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async args => {
        const result = await next(args);
        const response = result.response as { statusCode?: number; body?: unknown };
        const isFile = commandName === "GetObjectCommand" && (response.statusCode ?? 500) < 300;
        if (!isFile && response.body instanceof Readable) response.body = bounded(response.body);
        return result;
      },
    { step: "deserialize", priority: "low", name: "boundAnswers" },
  );
  return client;
}

function bounded(body: Readable): Readable {
  let size = 0;
  const bound = new Transform({
    transform: (chunk: Uint8Array, _encoding, done) => {
      size += chunk.length;
      if (size > MOST_ANSWER) done(tooLong());
      else done(null, chunk);
    },
  });
  pipeline(body, bound, () => undefined);
  return bound;
}

function tooLong(): SkepError {
  const text = `The S3 server answered with more than ${MOST_ANSWER} bytes about files. Use one that keeps to the protocol.`;
  return new SkepError("failed_precondition", "FILE_STORE_ANSWER", text);
}
