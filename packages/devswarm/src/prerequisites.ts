import { existsSync } from "node:fs";
import { run, runOk } from "./command.ts";
import { engineEnv, installerEnv } from "./settings.ts";

/** A program and the Debian package that brings it. */
export interface Prerequisite {
  readonly program: string;
  readonly package: string;
}

/** What a fleet needs. */
const prerequisites: readonly Prerequisite[] = [
  { program: "dockerd", package: "docker.io" },
  { program: "docker", package: "docker.io" },
  { program: "containerd", package: "containerd" },
  { program: "ip", package: "iproute2" },
  { program: "iptables", package: "iptables" },
  { program: "nsenter", package: "util-linux" },
  { program: "docker-registry", package: "docker-registry" },
];

/**
 * Why a fleet cannot run on this machine, or undefined when it can (after installing packages,
 * perhaps).
 */
export function whyNoFleet(): string | undefined {
  if (process.platform !== "linux") return `a fleet needs Linux namespaces, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "a fleet needs root, for network namespaces and Docker engines";
  const missing = missingPackages(prerequisites);
  if (missing.length > 0 && !existsSync("/etc/debian_version")) {
    return `these programs are missing and only Debian's packages are known: ${missing.join(", ")}`;
  }
  return undefined;
}

function missingPackages(needs: readonly Prerequisite[]): readonly string[] {
  const directories = (engineEnv()["PATH"] ?? "").split(":");
  const missing = needs.filter(need => !directories.some(directory => existsSync(`${directory}/${need.program}`)));
  return [...new Set(missing.map(need => need.package))];
}

// The policy keeps packages from starting their services while they are installed. One that was
// there before is put back afterwards, also when the script is interrupted; one that a killed run
// left behind is known by its mark.
const installScript = `
set -eu
policy=/usr/sbin/policy-rc.d
if [ -e $policy ] && ! grep -q skep-devswarm $policy; then mv $policy $policy.before-skep; fi
restore() { rm -f $policy; if [ -e $policy.before-skep ]; then mv $policy.before-skep $policy; fi; }
trap restore EXIT
trap 'exit 1' INT TERM HUP
printf '#!/bin/sh\\n# skep-devswarm: no service starts while packages are installed.\\nexit 101\\n' > $policy
chmod 755 $policy
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y --no-install-recommends install "$@"
for service in docker containerd docker-registry; do
  case " $* " in *"$service"*) ;; *) continue ;; esac
  if command -v systemctl >/dev/null; then
    systemctl disable --quiet $service.service 2>/dev/null || true
    if [ $service = docker ]; then systemctl disable --quiet docker.socket 2>/dev/null || true; fi
  elif [ -e /etc/init.d/$service ]; then
    update-rc.d $service disable || true
  fi
done
`;

/**
 * Makes sure that programs are there, those of a fleet or others, installing Debian's packages with
 * apt-get where they are not. The packages' own services are neither started nor enabled. `say` is
 * told what is about to happen. Throws an Error that says what apt-get said when it fails.
 */
export async function ensurePrograms(
  say: (text: string) => void,
  needs: readonly Prerequisite[] = prerequisites,
): Promise<void> {
  const missing = missingPackages(needs);
  if (missing.length === 0) return;
  say(`installing Debian packages with apt-get: ${missing.join(" ")} (their services stay off)`);
  const result = await run(["bash", "-c", installScript, "install", ...missing], { env: installerEnv() });
  if (result.code !== 0) {
    const tail = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-15).join("\n");
    throw new Error(
      `apt-get could not install ${missing.join(", ")}; install them by hand and try again. It said:\n${tail}`,
    );
  }
  const still = missingPackages(needs);
  if (still.length > 0)
    throw new Error(`apt-get ran, yet programs of these packages are still missing: ${still.join(", ")}.`);
}

/** The version that the installed engine reports, such as "20.10.24+dfsg1". */
export async function engineVersion(): Promise<string> {
  return (await runOk(["dockerd", "--version"], { env: engineEnv() })).replace(/^.*version\s+([^,\s]+).*$/s, "$1");
}
