import { createHmac } from "node:crypto";

/** What a form that writes one object is signed with. */
export interface PostPolicy {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string;
  /** Most bytes of the object; the store itself refuses more. */
  readonly mostBytes: number;
  /** ms since 1970. */
  readonly now: number;
  readonly seconds: number;
}

/** Who signs. */
export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly s3Region: string;
}

/** The fields of the form, which the file comes behind. */
export function signPostPolicy(policy: PostPolicy, signer: Signer): Readonly<Record<string, string>> {
  const date = new Date(policy.now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const day = date.slice(0, 8);
  const fields = {
    key: policy.key,
    "Content-Type": policy.contentType,
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${signer.accessKeyId}/${day}/${signer.s3Region}/s3/aws4_request`,
    "x-amz-date": date,
  };
  const conditions = [
    { bucket: policy.bucket },
    ...Object.entries(fields).map(([name, value]) => ({ [name]: value })),
    ["content-length-range", 0, policy.mostBytes],
  ];
  const expiration = new Date(policy.now + policy.seconds * 1000).toISOString();
  const encoded = Buffer.from(JSON.stringify({ expiration, conditions })).toString("base64");
  const steps = [day, signer.s3Region, "s3", "aws4_request"];
  const key = steps.reduce<Buffer>((last, step) => hmac(last, step), Buffer.from(`AWS4${signer.secretAccessKey}`));
  return { ...fields, policy: encoded, "x-amz-signature": hmac(key, encoded).toString("hex") };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
