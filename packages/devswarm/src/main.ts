#!/usr/bin/env node
import { Command } from "commander";
import * as commands from "./cli-commands.ts";

const program = new Command("devswarm")
  .description("A real Docker Swarm of several engines on one machine.")
  .option("--fleet <name>", "which fleet is meant (skep)")
  .enablePositionalOptions();
let fleet = "skep";
program.hook("preAction", (_, action) => {
  fleet = action.opts<{ fleet?: string }>().fleet ?? program.opts<{ fleet?: string }>().fleet ?? fleet;
});

program
  .command("up")
  .description("start a fleet and form its swarm")
  .option("--nodes <count>", "how many engines", "3")
  .option("--managers <count>", "how many of them lead the swarm", "1")
  .option("--keep", "continue the fleet's former swarm, containers and volumes", false)
  .option("--hold", "stay in the foreground and take the fleet down on Ctrl-C", false)
  .action(options => commands.up(fleet, options));
const down = program.command("down").description("remove the fleet; image layers stay cached");
down.action(() => commands.down(fleet));
const status = program.command("status").description("what runs, where, and in which state");
status.action(() => commands.status(fleet));
for (const [verb, description] of Object.entries(commands.nodeVerbs)) {
  program
    .command(`${verb} <node>`)
    .description(description)
    .action(node => commands.onNode(fleet, verb, node));
}
program
  .command("exec <node> <command...>")
  .description("run a command on the node: devswarm exec node-2 -- ip address")
  .passThroughOptions()
  .action((node, argv) => commands.exec(fleet, node, argv));
program
  .command("docker <node> <args...>")
  .description("run the docker client against the node: devswarm docker node-1 -- node ls")
  .passThroughOptions()
  .action((node, argv) => commands.dockerClient(fleet, node, argv));
program
  .command("logs <node>")
  .description("the log of the node's engine")
  .option("-f, --follow", "go on as it grows", false)
  .action((node, options) => commands.logs(fleet, node, options));
program
  .command("forward <node> <port> [localPort]")
  .description("forward a port of localhost to a port of the node, until Ctrl-C")
  .action((node, port, localPort) => commands.forwardPort(fleet, node, port, localPort));
for (const each of program.commands) each.option("--fleet <name>", "which fleet is meant (skep)");

try {
  await program.parseAsync();
} catch (cause) {
  console.error(cause instanceof Error ? cause.message : cause);
  process.exitCode = 1;
}
