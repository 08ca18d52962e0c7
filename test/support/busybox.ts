import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const APPLETS = ["sh", "sleep", "echo", "true", "false", "cat", "nc", "httpd", "wget", "id", "mkdir", "touch"];

/**
 * Gives an engine a tiny image under `tag`: a static busybox, taken from the machine or from
 * Debian's package, and links for the few programs that tests run. `docker` runs the docker client
 * against that engine with the given input file.
 */
export async function importBusybox(docker: (argv: readonly string[]) => Promise<unknown>, tag: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "skep-busybox-"));
  try {
    const root = join(dir, "root");
    await mkdir(join(root, "bin"), { recursive: true });
    await mkdir(join(root, "etc"));
    await mkdir(join(root, "tmp"));
    await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
    await copyFile(await staticBusybox(dir), join(root, "bin/busybox"));
    await Promise.all(APPLETS.map(applet => symlink("busybox", join(root, "bin", applet))));
    await run("tar", ["-C", root, "-cf", join(dir, "image.tar"), "."]);
    await docker([
      "import",
      "--change",
      `CMD ["sleep","2147483647"]`,
      "--change",
      "ENV PATH=/bin",
      join(dir, "image.tar"),
      tag,
    ]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Whether an ELF program asks for no loader, so that it runs in an image that has nothing else. */
export function isStaticElf(program: Buffer): boolean {
  if (program.length < 64 || program.readUInt32BE(0) !== 0x7f454c46 || program[4] !== 2) return false;
  const headersAt = Number(program.readBigUInt64LE(32));
  const [size, count] = [program.readUInt16LE(54), program.readUInt16LE(56)];
  const PT_INTERP = 3;
  return !Array.from({ length: count }, (_, index) => headersAt + index * size).some(
    at => at + 4 > program.length || program.readUInt32LE(at) === PT_INTERP,
  );
}

/**
 * A static busybox: the machine's own where it is one, else that of Debian's package
 * busybox-static.
 */
async function staticBusybox(dir: string): Promise<string> {
  const installed = "/bin/busybox";
  const found = await readFile(installed).catch(() => undefined);
  if (found !== undefined && isStaticElf(found)) return installed;
  // apt drops its rights for downloads and then needs a directory that everybody may enter.
  await run("chmod", ["755", dir]);
  await run("sh", ["-c", "apt-get download busybox-static && dpkg-deb -x busybox-static_*.deb unpacked"], { cwd: dir });
  return join(dir, "unpacked/bin/busybox");
}
