import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { networkProber } from "./prober.ts";

test("a page and a port are tried as they are, within the time that is given", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/slow") return;
    response.writeHead(request.url === "/ok" ? 204 : 500).end();
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const page = (path: string) => networkProber({ kind: "http", host: "127.0.0.1", port, path }, 200);
  expect(await page("/ok")).toEqual({ ok: true, answered: true, detail: "/ok answered 204" });
  expect(await page("/bad")).toEqual({ ok: false, answered: true, detail: "/bad answered 500" });
  expect(await page("/slow")).toEqual({ ok: false, answered: false, detail: "/slow did not answer within 200 ms" });
  expect((await networkProber({ kind: "tcp", host: "127.0.0.1", port }, 200)).ok).toBe(true);
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
  expect((await networkProber({ kind: "tcp", host: "127.0.0.1", port }, 200)).ok).toBe(false);
  expect((await page("/ok")).detail).toContain("ECONNREFUSED");
});

test("a target that cannot even be asked is an outcome like any other", async () => {
  const page = await networkProber({ kind: "http", host: "127.0.0.1", port: 1, path: "/\u65e5" }, 200);
  expect(page).toEqual({ ok: false, answered: false, detail: "Request path contains unescaped characters" });
  const port = await networkProber({ kind: "tcp", host: "127.0.0.1", port: 70_000 }, 200);
  expect(port).toMatchObject({ ok: false, answered: false });
});
