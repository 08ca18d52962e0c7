#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Half of the start-up is reading TypeScript; the rest is imported only now, so that all of it is
// cached.
enableCompileCache();
const { processIo } = await import("./io.ts");
const { run } = await import("./run.ts");

process.exitCode = await run(process.argv.slice(2), processIo());
