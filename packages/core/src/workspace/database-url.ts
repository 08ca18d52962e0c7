import type { Issue } from "../error.ts";
import { isPublicAddress, looksLikeAddress } from "./address.ts";

const PATH = "config.resources.specs.database.url";
const FORM = "mongodb://user:password@host:port,.../database?options, or mongodb+srv://user:password@host/...";

/**
 * Nothing that two programs could read in two ways: what is judged here is what the driver connects
 * to.
 */
const ADDRESS =
  /^(mongodb|mongodb\+srv):\/\/(?:[\w.~!$&'()*+;=%-]*(?::[\w.~!$&'()*+;=%-]*)?@)?([^/?#@\\\s]+)(?:\/([\w.%-]*)(?:\?([^?#\s]*))?)?$/;

/**
 * The options that a tenant may set. Others read files of the host, lead it through a proxy, or
 * make it ask the cloud for credentials.
 */
const OPTIONS: ReadonlySet<string> = new Set(
  [
    ...["appName", "authMechanism", "authSource", "compressors", "connectTimeoutMS", "directConnection"],
    ...["heartbeatFrequencyMS", "journal", "localThresholdMS", "maxStalenessSeconds", "readConcernLevel"],
    ...["readPreference", "readPreferenceTags", "replicaSet", "retryReads", "retryWrites", "srvMaxHosts", "ssl", "tls"],
    ...["w", "wtimeoutMS", "zlibCompressionLevel"],
  ].map(name => name.toLowerCase()),
);

/** Mechanisms that need a name and a password and nothing else. */
const MECHANISMS: ReadonlySet<string> = new Set(["DEFAULT", "SCRAM-SHA-1", "SCRAM-SHA-256"]);

/**
 * What is wrong with the address of a tenant's own database (R85). It has to be somewhere in the
 * Internet: every process that runs workspaces stands in the platform's own network, and would
 * carry a tenant there. `allowed` are hosts that the operator lets tenants have nevertheless; one
 * that begins with a dot is all names below it. A name in the Internet may still lead inside:
 * whoever connects asks `isPublicAddress` of what it resolves to. No issue repeats a password.
 */
export function databaseUrlIssues(url: string, allowed: readonly string[]): readonly Issue[] {
  const [, scheme, hosts = "", , options = ""] = ADDRESS.exec(url) ?? [];
  if (scheme === undefined) {
    const problem = "it is no address of a MongoDB that everybody reads alike";
    return [{ path: PATH, problem, advice: `use ${FORM}, with other characters percent-encoded` }];
  }
  const isService = scheme === "mongodb+srv";
  return [
    ...hosts.split(",").flatMap(host => hostIssues(host.toLowerCase(), isService, allowed)),
    ...(isService && hosts.includes(",") ? [issue("it has several hosts", "mongodb+srv takes one")] : []),
    ...(options === "" ? [] : options.split("&").flatMap(optionIssues)),
  ];
}

function hostIssues(text: string, isService: boolean, allowed: readonly string[]): readonly Issue[] {
  const [, bracketed, plain, port] = /^(?:\[([\da-f:.]+)\]|([a-z\d._-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = (bracketed ?? plain ?? "").replace(/\.$/, "");
  if (host === "" || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)))
    return [issue(`"${text.slice(0, 60)}" is no host with a port`, `use ${FORM}`)];
  if (isService && port !== undefined) return [issue("it has a port", "mongodb+srv takes none: its records have them")];
  if (isAllowedHost(host, allowed)) return [];
  const because = whyInside(host);
  if (because === undefined) return [];
  return [
    issue(
      `${host.slice(0, 60)} ${because}`,
      "use a database that is reached over the Internet, or ask an operator to allow this host (SKEP_WORKSPACE_DATABASE_HOSTS)",
    ),
  ];
}

/** Whether the operator lets tenants have a host; a name that begins with a dot is all below it. */
export function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  const lower = host.toLowerCase();
  return allowed.some(text => {
    const name = text.toLowerCase();
    return name.startsWith(".") ? lower.endsWith(name) : lower === name;
  });
}

const INSIDE = [".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".in-addr.arpa", ".ip6.arpa"];

/** Whether a host is in the platform's own network: nobody in the Internet reaches it. */
export function isInsideHost(host: string): boolean {
  return whyInside(host.toLowerCase().replace(/\.$/, "")) !== undefined;
}

/** Why a host is in the platform's own network; `undefined` for one in the Internet. */
function whyInside(host: string): string | undefined {
  if (looksLikeAddress(host)) return isPublicAddress(host) ? undefined : "is no address in the Internet";
  if (!host.includes(".")) return "is a name of the platform's own network";
  // A task of a service in a Swarm.
  if (host.startsWith("tasks.") || INSIDE.some(end => host.endsWith(end)))
    return "is a name of the platform's own network";
  return /^([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)+[a-z]([a-z\d-]{0,61}[a-z\d])?$/.test(host)
    ? undefined
    : "is no name in the Internet";
}

function optionIssues(text: string): readonly Issue[] {
  const [name = "", value = ""] = text.split("=");
  if (!OPTIONS.has(name.toLowerCase()))
    return [issue(`the option "${name.slice(0, 40)}" may not be set`, "leave it out")];
  if (name.toLowerCase() !== "authmechanism" || MECHANISMS.has(value.toUpperCase())) return [];
  return [issue("its authMechanism needs more than a name and a password", `use one of ${[...MECHANISMS].join(", ")}`)];
}

function issue(problem: string, advice: string): Issue {
  return { path: PATH, problem, advice };
}
