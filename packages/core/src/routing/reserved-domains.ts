import type { Issue } from "../error.ts";
import type { Route } from "../model/routing.ts";

/** The name of every machine for itself, at which an edge's own pages may be asked for. */
const NOBODYS = "localhost";

/**
 * What is wrong with the domains of routes: nobody may take an address, `localhost`, or what is
 * reserved. A reserved name is itself alone; one that begins with a dot is all names below it.
 */
export function domainIssues(routes: readonly Route[], reserved: readonly string[]): readonly Issue[] {
  const names = reserved.map(name => name.toLowerCase());
  return routes.flatMap(({ router, container, domain }) => {
    const problem = problemOf(domain.toLowerCase(), names);
    if (problem === undefined) return [];
    const path = `containers.${container}.labels`;
    return [{ path, problem: `the router "${router}" takes ${domain}, ${problem}`, advice: "route a domain of yours" }];
  });
}

function problemOf(domain: string, reserved: readonly string[]): string | undefined {
  if (isAddress(domain)) return "which is an address and no domain";
  if (domain === NOBODYS) return "which is every machine's own name";
  const isTaken = reserved.some(name => (name.startsWith(".") ? domain.endsWith(name) : domain === name));
  return isTaken ? "which the platform keeps for itself" : undefined;
}

/** A browser reads a last part of digits alone as one of an IPv4 address, also in hexadecimal. */
function isAddress(domain: string): boolean {
  const last = domain.slice(domain.lastIndexOf(".") + 1);
  return domain.includes(":") || /^(\d+|0x[\da-f]*)$/.test(last);
}
