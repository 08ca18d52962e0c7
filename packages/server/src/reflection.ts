import type { DescFile, DescService, FileRegistry, MessageInitShape } from "@bufbuild/protobuf";
import { createRegistry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { ServerReflection } from "@skep/api/gen/grpc/reflection/v1/reflection_pb.ts";
import type {
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "@skep/api/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@skep/api/gen/grpc/reflection/v1alpha/reflection_pb.ts";

type Reply = MessageInitShape<typeof ServerReflectionResponseSchema>;
type Answer = NonNullable<Reply["messageResponse"]>;

/**
 * Registers gRPC reflection, both versions that tools use. `services` are those it tells of; `more`
 * are files that no service imports and that tools look up all the same: the details of errors.
 */
export function registerReflection(
  router: ConnectRouter,
  services: readonly DescService[],
  more: readonly DescFile[],
): void {
  const index = indexFiles(services, more);
  async function* answerAll(requests: AsyncIterable<ServerReflectionRequest>): AsyncIterable<Reply> {
    for await (const request of requests) {
      yield { validHost: request.host, originalRequest: request, messageResponse: answer(request, index) };
    }
  }
  router.service(ServerReflection, { serverReflectionInfo: answerAll });
  // The two versions have the same messages under different names.
  const alike = answerAll as unknown as ServiceImpl<typeof ServerReflectionAlpha>["serverReflectionInfo"];
  router.service(ServerReflectionAlpha, { serverReflectionInfo: alike });
}

interface FileIndex {
  readonly registry: FileRegistry | ReturnType<typeof createRegistry>;
  readonly files: ReadonlyMap<string, DescFile>;
  readonly services: readonly string[];
}

function indexFiles(services: readonly DescService[], more: readonly DescFile[]): FileIndex {
  const files = new Map<string, DescFile>();
  const add = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    file.dependencies.forEach(add);
  };
  for (const service of services) add(service.file);
  more.forEach(add);
  return {
    registry: createRegistry(...files.values()),
    files,
    services: services.map(service => service.typeName).toSorted(),
  };
}

function answer({ messageRequest: asked }: ServerReflectionRequest, index: FileIndex): Answer {
  switch (asked.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: index.services.map(name => ({ name })) } };
    case "fileByFilename":
      return fileAnswer(index.files.get(asked.value), `file ${asked.value}`);
    case "fileContainingSymbol":
      return fileAnswer(fileOf(asked.value, index), `symbol ${asked.value}`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      const found = extensionsOf(containingType, index).find(one => one.number === extensionNumber);
      return fileAnswer(found?.file, `extension ${extensionNumber} of ${containingType}`);
    }
    case "allExtensionNumbersOfType": {
      if (index.registry.getMessage(asked.value) === undefined) return notFound(`message ${asked.value}`);
      const extensionNumber = extensionsOf(asked.value, index).map(one => one.number);
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: asked.value, extensionNumber } };
    }
    case undefined:
      return {
        case: "errorResponse",
        value: { errorCode: Code.InvalidArgument, errorMessage: "The request asks nothing." },
      };
  }
}

/**
 * The file that declares a symbol; a method, field or enum value is looked up by what it stands in.
 */
function fileOf(symbol: string, { registry }: FileIndex): DescFile | undefined {
  const found = registry.get(symbol);
  if (found !== undefined) return found.file;
  const parent = symbol.slice(0, Math.max(0, symbol.lastIndexOf(".")));
  const member = symbol.slice(parent.length + 1);
  const holder = registry.get(parent);
  switch (holder?.kind) {
    case "service":
      return holder.methods.some(method => method.name === member) ? holder.file : undefined;
    case "message":
      return holder.fields.some(field => field.name === member) ? holder.file : undefined;
    default:
      return undefined;
  }
}

function extensionsOf(
  typeName: string,
  { registry }: FileIndex,
): { readonly number: number; readonly file: DescFile }[] {
  return [...registry].flatMap(type =>
    type.kind === "extension" && type.extendee.typeName === typeName ? [{ number: type.number, file: type.file }] : [],
  );
}

function fileAnswer(file: DescFile | undefined, what: string): Answer {
  if (file === undefined) return notFound(what);
  return {
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: withImports(file).map(one => toBinary(FileDescriptorProtoSchema, one.proto)) },
  };
}

/** The file first, then everything it imports, each once and before what it imports itself. */
function withImports(file: DescFile): DescFile[] {
  const inner = new Set<DescFile>();
  const add = (one: DescFile): void => {
    if (inner.has(one)) return;
    one.dependencies.forEach(add);
    inner.add(one);
  };
  add(file);
  return [...inner].toReversed();
}

function notFound(what: string): Answer {
  return { case: "errorResponse", value: { errorCode: Code.NotFound, errorMessage: `This server has no ${what}.` } };
}
