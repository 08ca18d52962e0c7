import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { deviceToProto } from "@skep/api/codec/device.ts";
import type { DeviceSchema } from "@skep/api/gen/skep/v1/device_pb.ts";
import type { DeviceService } from "@skep/api/gen/skep/v1/device_service_pb.ts";
import { deviceUser, refuseDevice, type DeviceKey } from "@skep/core/workspace/device.ts";
import { digestSecret } from "@skep/kit/secret-digest.ts";
import { createHmac, randomBytes } from "node:crypto";
import type { Request } from "../store/request.ts";
import { changeRequest } from "./caller.ts";
import type { ApiDeps } from "./deps.ts";
import { pageRequest } from "./lookups.ts";

/** Devices of workspaces. */
export function deviceHandlers(deps: ApiDeps): ServiceImpl<typeof DeviceService> {
  const { store, clock } = deps;
  return {
    createDevices: async ({ workspaceId, deviceIds, idempotencyKey }, context) => {
      const by = changeRequest({ idempotencyKey }, context);
      const secretOf = await secrets(deps, by);
      const wanted = deviceIds.map(deviceId => digested({ workspaceId, deviceId }, secretOf));
      const made = await store.createDevices(workspaceId, wanted, by, clock.now());
      return { credentials: made.map(one => ({ device: deviceToProto(one), secret: secretOf(one) })) };
    },
    getDevice: async key => {
      const device = await store.getDevice(key);
      if (device === undefined) throw refuseDevice.missing(key);
      return { device: deviceToProto(device) };
    },
    listDevices: async request => {
      const { items, nextToken } = await store.listDevices(request.workspaceId, pageRequest(request));
      return { devices: items.map(deviceToProto), nextPageToken: nextToken ?? "" };
    },
    rotateDevice: async (request, context) => {
      const by = changeRequest(request, context);
      const secretOf = await secrets(deps, by);
      const { digest } = digested(request, secretOf);
      const device = await store.changeDevice(request, { digest }, by, clock.now());
      return { credential: { device: deviceToProto(device), secret: secretOf(device) } };
    },
    enableDevice: async (request, context) => ({ device: await enable(deps, request, context, true) }),
    disableDevice: async (request, context) => ({ device: await enable(deps, request, context, false) }),
    deleteDevice: async (request, context) => {
      await store.deleteDevice(request, changeRequest(request, context), clock.now());
      return {};
    },
  };
}

async function enable(
  { store, clock }: ApiDeps,
  request: DeviceKey & { readonly idempotencyKey: string },
  context: HandlerContext,
  enabled: boolean,
): Promise<MessageInitShape<typeof DeviceSchema>> {
  return deviceToProto(await store.changeDevice(request, { enabled }, changeRequest(request, context), clock.now()));
}

/**
 * Makes secrets of 256 bits. With an idempotency key they follow from it and a key of the database,
 * so that a repetition is answered alike and no secret is kept for it.
 */
async function secrets({ store }: ApiDeps, { actor, idempotencyKey }: Request): Promise<(key: DeviceKey) => string> {
  const key = idempotencyKey === undefined ? randomBytes(32) : await store.loadHostKey();
  return one =>
    createHmac("sha256", key)
      .update(JSON.stringify(["device", actor, idempotencyKey ?? "", deviceUser(one)]))
      .digest("base64url");
}

function digested(
  key: DeviceKey,
  secretOf: (key: DeviceKey) => string,
): { readonly deviceId: string; readonly digest: string } {
  return { deviceId: key.deviceId, digest: digestSecret(deviceUser(key), secretOf(key)) };
}
