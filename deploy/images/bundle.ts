import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

/** A program that goes into an image as one bundled file. */
export type BundledService = "scheduler" | "agent" | "host" | "gate" | "mongod-init";

const entries: Readonly<Record<BundledService, URL>> = {
  scheduler: new URL("../../packages/scheduler/src/main.ts", import.meta.url),
  agent: new URL("../../packages/agent/src/main.ts", import.meta.url),
  host: new URL("../../packages/workspace/src/main.ts", import.meta.url),
  gate: new URL("../../packages/workspace/src/gate/main.ts", import.meta.url),
  "mongod-init": new URL("../../packages/workspace/src/mongod-init.ts", import.meta.url),
};

/** CommonJS dependencies expect these three; a module has none of them. */
const banner = [
  'import { createRequire as createRequireForBundle } from "node:module";',
  'import { fileURLToPath as fileURLToPathForBundle } from "node:url";',
  "const require = createRequireForBundle(import.meta.url);",
  "const __filename = fileURLToPathForBundle(import.meta.url);",
  'const __dirname = fileURLToPathForBundle(new URL(".", import.meta.url));',
].join("\n");

/** What libraries load where it is installed, which it is not here. */
const optional = [
  ...["pg-native", "kerberos", "@mongodb-js/zstd", "@aws-sdk/credential-providers", "gcp-metadata", "snappy"],
  ...["aws4", "mongodb-client-encryption"],
];

/**
 * What dockerode loads for engines behind ssh and for BuildKit sessions. The agent talks to its own
 * engine's socket only, and half of its bundle would be these.
 */
const unusedByAgent = /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs)($|\/)/;

/**
 * Bundles a service, with everything it imports, into one ES module for Node 24. Same sources, same
 * bytes.
 * @throws Error (esbuild's, with file and line) when a source does not parse or an import is not
 * found.
 */
export async function bundleService(
  service: BundledService,
  entry: string = fileURLToPath(entries[service]),
): Promise<Buffer> {
  const result = await build({
    entryPoints: [entry],
    // Paths inside the bundle are relative to this, not to where the command was typed.
    absWorkingDir: fileURLToPath(new URL("../../", import.meta.url)),
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node24",
    banner: { js: banner },
    // Comments and white space go, names stay: a stack trace in production is readable.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "eof",
    sourcemap: false,
    external: optional,
    plugins: service === "agent" ? [emptyModules(unusedByAgent)] : [],
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`esbuild made nothing of ${entry}; is it a TypeScript module?`);
  return Buffer.from(file.contents);
}

/** Resolves every import that matches `filter` to a module without exports. */
function emptyModules(filter: RegExp): Plugin {
  return {
    name: "empty-modules",
    setup(builder): void {
      builder.onResolve({ filter }, ({ path }) => ({ path, namespace: "empty" }));
      builder.onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "module.exports = {};", loader: "js" }));
    },
  };
}
