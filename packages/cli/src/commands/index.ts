import type { CommandEntry } from "./command.ts";

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "deploy",
    summary: "Run what a Compose file describes, and wait until it does.",
    load: async () => (await import("./deploy.ts")).deploy,
  },
  {
    name: "project",
    summary: "List and remove what belongs to one Compose file.",
    load: async () => (await import("./project.ts")).project,
  },
  {
    name: "apps",
    summary: "List deployments and how far they are.",
    load: async () => (await import("./apps.ts")).apps,
  },
  { name: "ps", summary: "List instances, and where they run.", load: async () => (await import("./ps.ts")).ps },
  {
    name: "describe",
    summary: "Show one deployment in full.",
    load: async () => (await import("./describe.ts")).describe,
  },
  { name: "logs", summary: "Show what containers print.", load: async () => (await import("./logs.ts")).logs },
  {
    name: "exec",
    summary: "Run a command in a running container.",
    load: async () => (await import("./exec.ts")).exec,
  },
  { name: "scale", summary: "Change how many instances run.", load: async () => (await import("./scale.ts")).scale },
  {
    name: "restart",
    summary: "Replace every instance by a new one.",
    load: async () => (await import("./restart.ts")).restart,
  },
  {
    name: "stop",
    summary: "End every instance and keep the record.",
    load: async () => (await import("./stop.ts")).stop,
  },
  { name: "start", summary: "Run a stopped deployment again.", load: async () => (await import("./start.ts")).start },
  { name: "rm", summary: "Remove deployments.", load: async () => (await import("./rm.ts")).rm },
  {
    name: "explain",
    summary: "Say why instances are where they are, or nowhere.",
    load: async () => (await import("./explain.ts")).explain,
  },
  {
    name: "preview",
    summary: "Say where a Compose file would go, without deploying it.",
    load: async () => (await import("./preview.ts")).preview,
  },
  { name: "routes", summary: "List which domain leads where.", load: async () => (await import("./routes.ts")).routes },
  {
    name: "events",
    summary: "Show what was decided and what happened.",
    load: async () => (await import("./events.ts")).events,
  },
  { name: "status", summary: "Show how the platform is.", load: async () => (await import("./status.ts")).status },
  {
    name: "volume",
    summary: "List and remove the data that deployments keep.",
    load: async () => (await import("./volume.ts")).volume,
  },
  {
    name: "workspace",
    summary: "Create, list and change IoT workspaces.",
    load: async () => (await import("./workspace.ts")).workspace,
  },
  {
    name: "device",
    summary: "Make devices of a workspace, and say what they may.",
    load: async () => (await import("./device.ts")).device,
  },
  {
    name: "messages",
    summary: "Show what devices say, live, and what could not be stored.",
    load: async () => (await import("./messages.ts")).messages,
  },
  {
    name: "file",
    summary: "List, store and read the files of workspaces.",
    load: async () => (await import("./file.ts")).file,
  },
  {
    name: "rule",
    summary: "Put, list and try out the rules of workspaces.",
    load: async () => (await import("./rule.ts")).rule,
  },
  {
    name: "recover",
    summary: "Make the records those of the fleet again, after a restore or a loss.",
    load: async () => (await import("./recover.ts")).recover,
  },
  { name: "nodes", summary: "List the Swarm's nodes.", load: async () => (await import("./nodes.ts")).nodes },
  { name: "drain", summary: "Move everything off a node.", load: async () => (await import("./drain.ts")).drain },
  { name: "pause", summary: "Give a node no new work.", load: async () => (await import("./pause.ts")).pause },
  {
    name: "activate",
    summary: "Let a node take work again.",
    load: async () => (await import("./activate.ts")).activate,
  },
  { name: "label", summary: "Set or remove labels of a node.", load: async () => (await import("./label.ts")).label },
  {
    name: "node",
    summary: "Revoke nodes, and let them join again.",
    load: async () => (await import("./node.ts")).node,
  },
  {
    name: "tenant",
    summary: "Create, list and limit tenants.",
    load: async () => (await import("./tenant.ts")).tenant,
  },
  {
    name: "login",
    summary: "Remember a platform's address and token.",
    load: async () => (await import("./login.ts")).login,
  },
  {
    name: "context",
    summary: "List and choose the platforms you know.",
    load: async () => (await import("./context.ts")).context,
  },
  {
    name: "completion",
    summary: "Print a completion script for your shell.",
    load: async () => (await import("./completion.ts")).completion,
  },
];
