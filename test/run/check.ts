import { dirname } from "node:path";
import { CHECKS, runCheck } from "./checks.ts";

const root = dirname(dirname(import.meta.dirname));
let failed = 0;
for (const check of CHECKS) {
  const result = await runCheck(check, root);
  console.log(`${result.passed ? "clean " : "FAILED"} ${result.name} (${(result.ms / 1000).toFixed(1)} s)`);
  if (result.passed) continue;
  failed += 1;
  console.log(result.output.trimEnd());
  console.log(`  run it alone: npx ${check.command.join(" ")}`);
}
console.log(`${CHECKS.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
