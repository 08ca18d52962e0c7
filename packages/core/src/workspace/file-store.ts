import type { Issue } from "../error.ts";
import { isAllowedHost, isInsideHost } from "./database-url.ts";

/** An S3 server of the tenant's own, with the one bucket that its key is for. */
export interface FileStore {
  /** `https://host`, with a port or without, and nothing behind it. */
  readonly url: string;
  /** What that server calls its region. */
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** The region of a store that names none. */
export const DEFAULT_FILE_REGION = "us-east-1";

const PATH = "config.resources.specs.files";
const ADDRESS = /^(https?):\/\/(?:\[([\da-f:.]+)\]|([a-z\d._-]+))(?::(\d{1,5}))?\/?$/i;
/** Words that no client reads as anything else: a bucket may not be the name of a resource. */
const BUCKET = /^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/;
const REGION = /^[a-z\d-]{1,40}$/;
const KEY = /^[\x21-\x7e]{1,256}$/;

/**
 * What is wrong with an S3 server of a tenant's own. As a database of his own it has to be in the
 * Internet, or at a host that the operator allows, which may speak plain HTTP. No issue repeats a
 * key.
 */
export function fileStoreIssues(store: FileStore, allowed: readonly string[]): readonly Issue[] {
  const { url, region, bucket, accessKey, secretKey } = store;
  return [
    ...addressIssues(url, allowed),
    ...(REGION.test(region) ? [] : [issue("region", "it is no name of a region", "use its server's, such as eu-1")]),
    ...(BUCKET.test(bucket)
      ? []
      : [issue("bucket", "it is no name of a bucket", "use 3 to 63 lower-case letters, digits, dots and dashes")]),
    ...(KEY.test(accessKey) ? [] : [issue("access_key", "it is no name of a key", "use that of the bucket's key")]),
    ...(KEY.test(secretKey) ? [] : [issue("secret_key", "it is no key", "use the secret of the bucket's key")]),
  ];
}

/** Whether both are one place, by the same key; none is as good as none. */
export function isSameStore(one: FileStore | undefined, other: FileStore | undefined): boolean {
  const print = (store: FileStore | undefined): string | undefined =>
    store && JSON.stringify([store.url, store.region, store.bucket, store.accessKey, store.secretKey]);
  return print(one) === print(other);
}

function addressIssues(url: string, allowed: readonly string[]): readonly Issue[] {
  const [, scheme = "", bracketed, plain, port] = ADDRESS.exec(url) ?? [];
  const host = (bracketed ?? plain ?? "").toLowerCase().replace(/\.$/, "");
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  if (host === "" || !isPort)
    return [issue("url", "it is no address of an S3 server", "use https://host:port, without user, path or query")];
  if (isAllowedHost(host, allowed)) return [];
  if (scheme.toLowerCase() !== "https") return [issue("url", "it speaks http:", "use https:")];
  if (!isInsideHost(host)) return [];
  const advice =
    "use a server that is reached over the Internet, or ask an operator to allow this host (SKEP_WORKSPACE_DATABASE_HOSTS)";
  return [issue("url", `${host.slice(0, 60)} is in the platform's own network`, advice)];
}

function issue(part: string, problem: string, advice: string): Issue {
  return { path: `${PATH}.${part}`, problem, advice };
}
