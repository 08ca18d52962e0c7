import type { Command } from "commander";
import { timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import { DeviceCredentialSchema, DeviceSchema } from "@skep/api/gen/skep/v1/device_pb.ts";
import type { Device, DeviceCredential } from "@skep/api/gen/skep/v1/device_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { MOST_CREATED } from "@skep/core/workspace/device.ts";
import type { Io } from "../io.ts";
import { listJson, messageJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { duration } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { readText } from "../session/document-file.ts";
import { newKey } from "../session/change.ts";
import type { Session } from "../session/open.ts";
import { allPages } from "../session/pages.ts";
import type { Setup } from "./command.ts";

interface AddOptions {
  readonly file?: string;
}

/** `skep device`. */
export const device: Setup = (command, io) => {
  examples(command, [
    ["skep device add fleet car-1 car-2", "make devices; their secrets are shown now and never again"],
    ["skep device add fleet -f ids.txt -o json", "those of a file, one a line"],
    ["skep device list fleet", "every device, when it was seen and what it was denied"],
    ["skep device show fleet car-1", "one device"],
    ["skep device rotate fleet car-1", "another secret; it has to connect anew"],
    ["skep device disable fleet car-1", "refuse it; what it has open is ended within seconds"],
    ["skep device enable fleet car-1", "let it in again"],
    ["skep device rm fleet car-1", "forget it"],
  ]);
  setupAdd(command, io);
  setupReading(command, io);
  setupChanges(command, io);
};

function setupAdd(command: Command, io: Io): void {
  const add = command
    .command("add")
    .summary("Make devices, and show their secrets once.")
    .argument("<workspace>", "whose they are")
    .argument("[devices...]", "their ids")
    .option("-f, --file <FILE>", "a file of ids, one a line (`-` for standard input)");
  act(add, io, async (session, { file }: AddOptions, workspaceId: string, named: readonly string[]) => {
    const listed = file === undefined ? [] : readText(io, file).split("\n");
    const ids = [...new Set([...named, ...listed.map(line => line.trim()).filter(line => line !== "")])];
    if (ids.length === 0)
      throw new SkepError("invalid_argument", "DEVICES_UNSAID", "Name devices, or a file of them by `-f FILE`.");
    const made: DeviceCredential[] = [];
    try {
      for (let at = 0; at < ids.length; at += MOST_CREATED) {
        const deviceIds = ids.slice(at, at + MOST_CREATED);
        const request = { workspaceId, deviceIds, idempotencyKey: newKey() };
        made.push(...(await session.api.devices.createDevices(request)).credentials);
      }
    } finally {
      // Where a later request fails, the secrets of the earlier ones would be lost.
      if (made.length > 0) showSecrets(session, made);
    }
  });
}

function setupReading(command: Command, io: Io): void {
  const list = command.command("list").alias("ls").summary("List devices.").argument("<workspace>", "whose they are");
  act(list, io, async (session, _options: object, workspaceId: string) => {
    const devices = await allPages(
      pageToken => session.api.devices.listDevices({ workspaceId, pageSize: 1000, pageToken }),
      page => page.devices,
    );
    print(
      session,
      () => listJson(DeviceSchema, devices),
      () => table(session, devices),
    );
  });
  const one = named(command.command("show").summary("Show a device, and what it was denied."));
  act(one, io, async (session, _options: object, workspaceId: string, deviceId: string) => {
    show(session, (await session.api.devices.getDevice({ workspaceId, deviceId })).device);
  });
}

function setupChanges(command: Command, io: Io): void {
  const rotate = named(command.command("rotate").summary("Give a device another secret."));
  act(rotate, io, async (session, _options: object, workspaceId: string, deviceId: string) => {
    const request = { workspaceId, deviceId, idempotencyKey: newKey() };
    const { credential } = await session.api.devices.rotateDevice(request);
    showSecrets(session, credential === undefined ? [] : [credential]);
  });
  const disable = named(command.command("disable").summary("Refuse a device until it is enabled."));
  act(disable, io, async (session, _options: object, workspaceId: string, deviceId: string) => {
    show(
      session,
      (await session.api.devices.disableDevice({ workspaceId, deviceId, idempotencyKey: newKey() })).device,
    );
  });
  const enable = named(command.command("enable").summary("Let a device in again."));
  act(enable, io, async (session, _options: object, workspaceId: string, deviceId: string) => {
    show(session, (await session.api.devices.enableDevice({ workspaceId, deviceId, idempotencyKey: newKey() })).device);
  });
  const remove = named(command.command("rm").summary("Forget a device."));
  act(remove, io, async (session, _options: object, workspaceId: string, deviceId: string) => {
    await session.api.devices.deleteDevice({ workspaceId, deviceId, idempotencyKey: newKey() });
    print(
      session,
      () => ({}),
      () => `${deviceId}: is deleted, and what it has open ends within seconds\n`,
    );
  });
}

function named(command: Command): Command {
  return command.argument("<workspace>", "whose it is").argument("<device>", "its id");
}

function showSecrets(session: Session, credentials: readonly DeviceCredential[]): void {
  print(
    session,
    () => listJson(DeviceCredentialSchema, credentials),
    () =>
      renderTable(
        ["USER NAME", "SECRET"].map(heading => ({ heading })),
        credentials.map(one => [one.device?.userName ?? "", one.secret]),
      ),
  );
}

function show(session: Session, one: Device | undefined): void {
  if (one === undefined) return;
  print(
    session,
    () => messageJson(DeviceSchema, one),
    () => `${table(session, [one])}${denials(one)}`,
  );
}

function denials({ denied, deniedTopic }: Device): string {
  if (denied === 0n) return "";
  return `\nDenied last: ${JSON.stringify(deniedTopic)}. A device may use topics below its user name only, and publish no commands.\n`;
}

function table(session: Session, devices: readonly Device[]): string {
  const now = session.io.now();
  const ago = (at: Timestamp | undefined): string => (at === undefined ? "never" : duration(now - timestampMs(at)));
  return renderTable(
    ["USER NAME", "STATE", "AGE", "SEEN", "DENIED"].map(heading => ({ heading })),
    devices.map(one => [
      ...[one.userName, one.enabled ? "enabled" : "disabled", ago(one.createdAt), ago(one.seenAt)],
      one.denied === 0n ? "0" : `${one.denied}, ${ago(one.deniedAt)} ago`,
    ]),
  );
}
