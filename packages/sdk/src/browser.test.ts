import { runInNewContext } from "node:vm";
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
  expect(runInNewContext(script, globals)).toBe(
    "tenants,deployments,instances,volumes,workspaces,containers,rules,nodes,routing,platform",
  );
});

it("would be refused if it needed Node, as the transport for Node does", async () => {
  await expect(bundle("node.ts")).rejects.toThrow(/node:/);
});
