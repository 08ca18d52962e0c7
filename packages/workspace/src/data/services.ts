import type { ConnectRouter } from "@connectrpc/connect";
import { FileService } from "@skep/api/gen/skep/v1/file_service_pb.ts";
import { MessageService } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { PeerService } from "@skep/api/gen/skep/v1/peer_pb.ts";
import { fileService } from "./file-service.ts";
import { messageService, type MessageServiceOptions } from "./message-service.ts";
import { peerHandlers } from "./peer-service.ts";

/** The services of a host's data plane. Each finds its workspace by `servedOf(context)`. */
export function dataServices(options: MessageServiceOptions): (router: ConnectRouter) => void {
  return router => {
    router.service(MessageService, messageService(options));
    router.service(FileService, fileService(options.clock));
    router.service(PeerService, peerHandlers());
  };
}
