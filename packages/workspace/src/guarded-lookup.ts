import { lookup, type LookupAddress, type LookupAllOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { isPublicAddress } from "@skep/core/workspace/address.ts";
import { isAllowedHost } from "@skep/core/workspace/database-url.ts";

/** How names are resolved; the system's own way where nothing else is given. */
export type Resolve = (
  host: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/**
 * Resolves names for a connection to where a tenant says. A name in the Internet may lead into the
 * platform's own network, and to another address each time it is asked: so it is judged here, where
 * the connection takes what is answered. A host that is written as an address is never looked up:
 * whoever connects judges that before.
 */
export function guardedLookup(allowedHosts: readonly string[], resolve: Resolve = lookup): LookupFunction {
  return (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, "", 4);
      const good = isAllowedHost(host, allowedHosts) ? found : found.filter(({ address }) => isPublicAddress(address));
      const first = good[0];
      if (first === undefined) return done(refused(host), "", 4);
      if (options.all === true) done(null, good);
      else done(null, first.address, first.family);
    });
  };
}

function refused(host: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`${host} leads into the platform's own network`);
  error.code = "EACCES";
  return error;
}
