import { isInsideHost } from "@skep/core/workspace/database-url.ts";
import { ConfigError } from "@skep/kit/config.ts";
import { z } from "zod";
import type { FileRegion } from "./bucket.ts";

/** Where files are, as an operator says it: one region by a few settings, or several at once. */
export interface FileSettings {
  readonly s3Url: string | undefined;
  readonly s3PublicUrl: string | undefined;
  readonly s3Region: string;
  readonly s3Bucket: string;
  readonly s3AccessKey: string;
  readonly s3SecretKey: string | undefined;
  /** A list of regions as JSON, which takes the place of all of the others. */
  readonly s3Regions: string | undefined;
}

const ADDRESS = z.url({ protocol: /^https?$/ });

const REGIONS = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9-]{1,40}$/),
      endpoint: ADDRESS,
      publicEndpoint: ADDRESS.optional(),
      s3Region: z.string().min(1).optional(),
      bucket: z.string().min(1),
      accessKeyId: z.string().min(1),
      secretAccessKey: z.string().min(1),
    }),
  )
  .min(1);

/** The regions; none where no file storage is set. @throws ConfigError that tells no secret. */
export function fileRegionsOf(settings: FileSettings): readonly FileRegion[] {
  const { s3Url, s3PublicUrl, s3Regions, s3SecretKey } = settings;
  if (s3Regions !== undefined) return readRegions(s3Regions);
  if (s3Url === undefined) return [];
  if (s3SecretKey === undefined)
    throw new ConfigError(["SKEP_S3_URL is set and SKEP_S3_SECRET_KEY is not: set both, or neither."]);
  return [
    reached({
      ...{ name: settings.s3Region, s3Region: settings.s3Region, endpoint: s3Url, bucket: settings.s3Bucket },
      ...{ accessKeyId: settings.s3AccessKey, secretAccessKey: s3SecretKey },
      ...(s3PublicUrl === undefined ? {} : { publicEndpoint: s3PublicUrl }),
    }),
  ];
}

function readRegions(text: string): readonly FileRegion[] {
  const read = REGIONS.safeParse(parsed(text));
  if (!read.success)
    throw new ConfigError(
      read.error.issues.map(({ path, message }) => `SKEP_S3_REGIONS: ${path.join(".") || "it"}: ${message}`),
    );
  const names = read.data.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new ConfigError([`SKEP_S3_REGIONS: ${twice} stands there twice.`]);
  return read.data.map(({ publicEndpoint, s3Region, ...region }) =>
    reached({
      ...region,
      ...(publicEndpoint === undefined ? {} : { publicEndpoint }),
      ...(s3Region === undefined ? {} : { s3Region }),
    }),
  );
}

/** Whether people and devices reach it: at its public address, or where its own is public. */
function reached(region: FileRegion): FileRegion {
  const { hostname } = new URL(region.endpoint);
  const isInside = region.publicEndpoint === undefined && isInsideHost(hostname.replace(/^\[|\]$/g, ""));
  return isInside ? { ...region, isInside } : region;
}

/** A message of the parser would quote the text, which holds secrets. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(["SKEP_S3_REGIONS: it is no JSON; write a list of regions."]);
  }
}
