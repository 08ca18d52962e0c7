import type { DescriptorProto, EnumDescriptorProto, FieldDescriptorProto } from "@bufbuild/protobuf/wkt";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type } from "@bufbuild/protobuf/wkt";

const SCALARS = new Map<number, string>(
  Object.entries(FieldDescriptorProto_Type).flatMap(([name, value]) =>
    typeof value === "number" ? [[value, name.toLowerCase()] as const] : [],
  ),
);

const indent = (text: string): string =>
  text
    .split("\n")
    .map(line => (line === "" ? line : `  ${line}`))
    .join("\n");

const block = (head: string, lines: readonly string[]): string =>
  lines.length === 0 ? `${head} {}` : `${head} {\n${indent(lines.join("\n"))}\n}`;

function typeOf(field: FieldDescriptorProto): string {
  return field.typeName === "" ? (SCALARS.get(field.type) ?? "bytes") : field.typeName;
}

function printField(field: FieldDescriptorProto, syntax: string, inside: DescriptorProto | undefined): string {
  const entry = inside?.nestedType.find(
    nested => nested.options?.mapEntry === true && field.typeName.endsWith(`.${inside.name}.${nested.name}`),
  );
  const [key, value] = entry?.field ?? [];
  if (key !== undefined && value !== undefined)
    return `map<${typeOf(key)}, ${typeOf(value)}> ${field.name} = ${field.number};`;
  const inOneof = field.oneofIndex !== undefined && Object.hasOwn(field, "oneofIndex") && !field.proto3Optional;
  const label =
    field.label === FieldDescriptorProto_Label.REPEATED
      ? "repeated "
      : field.label === FieldDescriptorProto_Label.REQUIRED
        ? "required "
        : inOneof && inside !== undefined
          ? ""
          : syntax === "proto2" || field.proto3Optional
            ? "optional "
            : "";
  return `${label}${typeOf(field)} ${field.name} = ${field.number};`;
}

function printEnum(one: EnumDescriptorProto): string {
  const names = new Set(one.value.map(value => value.number));
  const lines = one.value.map(value => `${value.name} = ${value.number};`);
  return block(`enum ${one.name}`, names.size < one.value.length ? ["option allow_alias = true;", ...lines] : lines);
}

function printMessage(message: DescriptorProto, syntax: string): string {
  const real = message.oneofDecl.filter(
    (_, index) => !message.field.some(field => field.proto3Optional && field.oneofIndex === index),
  );
  const isMember = (field: FieldDescriptorProto): boolean =>
    Object.hasOwn(field, "oneofIndex") && !field.proto3Optional && real.length > 0;
  return block(`message ${message.name}`, [
    ...message.nestedType.filter(nested => nested.options?.mapEntry !== true).map(one => printMessage(one, syntax)),
    ...message.enumType.map(printEnum),
    ...message.field.filter(field => !isMember(field)).map(field => printField(field, syntax, message)),
    ...real.map((oneof, index) =>
      block(
        `oneof ${oneof.name}`,
        message.field
          .filter(field => isMember(field) && field.oneofIndex === index)
          .map(field => printField(field, syntax, message)),
      ),
    ),
    ...message.extensionRange.map(range => `extensions ${range.start} to ${rangeEnd(range.end)};`),
    ...message.extension.map(one => block(`extend ${one.extendee}`, [printField(one, "proto2", undefined)])),
  ]);
}

const rangeEnd = (end: number): string => (end >= 536_870_912 ? "max" : String(end - 1));

/**
 * Writes a file descriptor as proto source: packages, imports, messages, enums and extensions,
 * without comments and without options. It is what an importing file needs to compile, and no more.
 */
export function printDescriptor(file: FileDescriptorProto): string {
  const syntax = file.syntax === "" ? "proto2" : file.syntax;
  const parts = [
    `syntax = "${syntax}";`,
    `package ${file.package};`,
    file.dependency.map(name => `import "${name}";`).join("\n"),
    ...file.extension.map(one => block(`extend ${one.extendee}`, [printField(one, syntax, undefined)])),
    ...file.messageType.map(message => printMessage(message, syntax)),
    ...file.enumType.map(printEnum),
  ];
  return `${parts.filter(part => part !== "").join("\n\n")}\n`;
}
