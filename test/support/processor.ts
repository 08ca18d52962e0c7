import { existsSync, readFileSync } from "node:fs";

/** Processor time that a process has taken so far; 0 where the system does not tell. */
export function processorMs(pid: number): number {
  // `/proc` counts in hundredths of a second.
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return 0;
  const stat = readFileSync(path, "utf8");
  // The name of the program comes before, in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
