import { isAbsolute, join } from "node:path/posix";

/** A path as a file names it, from where the paths of that file begin. */
export function pathFrom(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
