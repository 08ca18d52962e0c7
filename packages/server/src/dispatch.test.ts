import { request } from "node:http";
import { createRecordingLog } from "@skep/kit/log.ts";
import { expect, test } from "vitest";
import { startServer } from "./server.ts";

test("what is no URL at all is answered with 404, and is no failure of ours", async () => {
  const log = createRecordingLog();
  const nothing = { services: [], routes: () => undefined, auth: undefined, ready: {} };
  const server = await startServer({ port: 0, host: "127.0.0.1", log, ...nothing });
  try {
    const status = await new Promise((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port: server.port, path: "//", agent: false }, response =>
        resolve(response.resume().statusCode),
      );
      asked.on("error", reject).end();
    });
    expect(status).toBe(404);
    expect(log.lines).toEqual([]);
  } finally {
    await server.close(0);
  }
});
