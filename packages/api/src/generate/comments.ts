import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import type { DescriptorProto, EnumDescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** The comment above each declaration, by its full name; a field or method is `<type>.<name>`. */
export type Comments = ReadonlyMap<string, string>;

/** Reads the leading comments out of descriptors that carry their source's positions. */
export function readComments(set: FileDescriptorSet): Comments {
  const found = new Map<string, string>();
  for (const file of set.file) {
    const byPath = new Map(
      (file.sourceCodeInfo?.location ?? []).map(({ path, leadingComments }) => [path.join("."), leadingComments]),
    );
    for (const [name, path] of pathsOf(file)) {
      const text = (byPath.get(path) ?? "").replaceAll(/\s+/g, " ").trim();
      if (text !== "") found.set(name, text);
    }
  }
  return found;
}

/**
 * Pairs of a full name and the path at which source positions name it: field numbers of
 * descriptor.proto.
 */
function* pathsOf(file: FileDescriptorProto): Iterable<readonly [string, string]> {
  for (const [index, message] of file.messageType.entries()) yield* inMessage(message, file.package, `4.${index}`);
  for (const [index, one] of file.enumType.entries()) yield* inEnum(one, file.package, `5.${index}`);
  for (const [index, service] of file.service.entries()) {
    const name = `${file.package}.${service.name}`;
    yield [name, `6.${index}`];
    for (const [at, method] of service.method.entries()) yield [`${name}.${method.name}`, `6.${index}.2.${at}`];
  }
}

function* inMessage(message: DescriptorProto, scope: string, path: string): Iterable<readonly [string, string]> {
  const name = `${scope}.${message.name}`;
  yield [name, path];
  for (const [at, field] of message.field.entries()) yield [`${name}.${field.name}`, `${path}.2.${at}`];
  for (const [at, nested] of message.nestedType.entries()) yield* inMessage(nested, name, `${path}.3.${at}`);
  for (const [at, one] of message.enumType.entries()) yield* inEnum(one, name, `${path}.4.${at}`);
}

function* inEnum(one: EnumDescriptorProto, scope: string, path: string): Iterable<readonly [string, string]> {
  const name = `${scope}.${one.name}`;
  yield [name, path];
  for (const [at, value] of one.value.entries()) yield [`${name}.${value.name}`, `${path}.2.${at}`];
}
