import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { SkepError } from "@skep/core/error.ts";
import type { Bucket } from "./bucket.ts";
import { signPostPolicy } from "./post-policy.ts";

/** A link that somebody without a secret may use for a while. */
export interface FileLink {
  readonly method: "GET" | "PUT" | "POST";
  readonly url: string;
  /** Headers that a PUT sends. */
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of the form of a POST, before its field `file`. */
  readonly fields: Readonly<Record<string, string>>;
  /** ms since 1970. */
  readonly expiresAt: number;
}

/** One file to link to. */
export interface LinkTarget {
  readonly key: string;
  /** Its name for whoever reads it. */
  readonly file: string;
  readonly contentType: string;
  readonly seconds: number;
  readonly now: number;
}

/** Some stores take no form that was signed an hour ago. */
const LONGEST_SECONDS = 3600;

/** Refuses a time that no link may last. */
export function checkSeconds(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= LONGEST_SECONDS) return;
  const text = `A link cannot last ${seconds} s. Use 1 to ${LONGEST_SECONDS}.`;
  throw new SkepError("invalid_argument", "LINK_SECONDS", text);
}

/**
 * Refuses links that would lead nowhere. @throws SkepError `failed_precondition` `FILE_LINKS_OFF`.
 */
function checkReach({ region }: Bucket): void {
  if (region.isInside !== true) return;
  const text =
    "Nobody outside reaches the S3 server of this workspace, so a link would lead nowhere. Have the file pass through " +
    "the API instead: `skep file get` and `skep file put`, or FileService.ReadFile and BeginUpload.";
  throw new SkepError("failed_precondition", "FILE_LINKS_OFF", text);
}

/** A link to read. A browser saves what it finds and never shows it. */
export async function readLink(bucket: Bucket, target: LinkTarget): Promise<FileLink> {
  checkReach(bucket);
  const name = encodeURIComponent(target.file).replaceAll("'", "%27");
  const command = new GetObjectCommand({
    ...{ Bucket: bucket.region.bucket, Key: target.key },
    ResponseContentDisposition: `attachment; filename*=UTF-8''${name}`,
    ResponseContentType: target.contentType,
  });
  const url = await signing(bucket, s3 => getSignedUrl(s3, command, { expiresIn: target.seconds }));
  return { method: "GET", url, headers: {}, fields: {}, expiresAt: target.now + target.seconds * 1000 };
}

/** A link to write a file of exactly that size: the size is signed, so the store refuses others. */
export async function putLink(bucket: Bucket, target: LinkTarget, size: number): Promise<FileLink> {
  checkReach(bucket);
  const command = new PutObjectCommand({
    ...{ Bucket: bucket.region.bucket, Key: target.key },
    ...{ ContentLength: size, ContentType: target.contentType },
  });
  const signableHeaders = new Set(["host", "content-length", "content-type"]);
  const options = { expiresIn: target.seconds, signableHeaders };
  const url = await signing(bucket, s3 => getSignedUrl(s3, command, options));
  const headers = { "content-type": target.contentType, "content-length": String(size) };
  return { method: "PUT", url, headers, fields: {}, expiresAt: target.now + target.seconds * 1000 };
}

/** A form to write a file of at most that size. */
export function postLink(bucket: Bucket, target: LinkTarget, mostBytes: number): FileLink {
  checkReach(bucket);
  const { region, s3Region } = bucket;
  const { key, contentType, now, seconds } = target;
  const policy = { bucket: region.bucket, key, contentType, mostBytes, now, seconds };
  const fields = signPostPolicy(policy, { ...region, s3Region });
  const url = `${(region.publicEndpoint ?? region.endpoint).replace(/\/$/, "")}/${region.bucket}`;
  return { method: "POST", url, headers: {}, fields, expiresAt: now + seconds * 1000 };
}

/** Signing opens no connection, so that a client of its own costs nothing. */
async function signing<T>(bucket: Bucket, sign: (s3: S3Client) => Promise<T>): Promise<T> {
  const { endpoint, publicEndpoint = endpoint } = bucket.region;
  const client = bucket.clientFor(publicEndpoint);
  try {
    return await sign(client);
  } finally {
    client.destroy();
  }
}
