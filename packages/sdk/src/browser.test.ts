import { runInNewContext } from "node:vm";
import { SERVICE_BY_NAME } from "@skep/api/services.ts";
import { build } from "esbuild";
import { expect, it } from "vitest";

/** Bundles a module for browsers: esbuild refuses what needs a module of Node. */
async function bundle(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${import.meta.dirname}/${file}`],
    bundle: true,
    platform: "browser",
    format: "iife",
    globalName: "sdk",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

it("is bundled for a browser, and makes a client there with nothing of Node", async () => {
  const globals = { AbortController, AbortSignal, Headers, setTimeout, clearTimeout, TextEncoder, TextDecoder, URL };
  const script = `${await bundle("index.ts")}; Object.keys(sdk.createClient({ transport: {} })).join()`;
  expect(runInNewContext(script, globals)).toBe(Object.keys(SERVICE_BY_NAME).join());
});

it("would be refused if it needed Node, as the transport for Node does", async () => {
  await expect(bundle("node.ts")).rejects.toThrow(/node:/);
});

it("calls REST paths in a browser with nothing but its fetch", async () => {
  const asked: string[] = [];
  const fetched = async (address: string) => {
    asked.push(address);
    return { ok: true, status: 200, text: async () => '{"status":"healthy"}' };
  };
  const globals = { AbortController, AbortSignal, Headers, setTimeout, clearTimeout, TextEncoder, TextDecoder, URL };
  const call = 'sdk.createAccess({ url: "https://skep.example" }).request({ url: "/containers/fleet/status" })';
  const script = `${await bundle("index.ts")}; ${call}`;
  const answer: unknown = await runInNewContext(script, { ...globals, fetch: fetched });
  expect(answer).toMatchObject({ status: "healthy" });
  expect(asked).toEqual(["https://skep.example/containers/fleet/status"]);
});
