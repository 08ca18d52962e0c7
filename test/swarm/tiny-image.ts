import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const programs = ["/bin/sh", "/usr/bin/perl", "/usr/bin/cat", "/usr/bin/sleep", "/usr/bin/getent", "/usr/bin/hostname"];

// Answers every request with "<host name> <content of the file named in the path>".
const server = `
use strict; use IO::Socket::INET; use Socket;
$SIG{CHLD} = "IGNORE";
my $listener = IO::Socket::INET->new(LocalPort => $ARGV[0] // 8080, Listen => 64, ReuseAddr => 1) or die "cannot listen: $!";
while (1) {
  my $client = $listener->accept or next;
  if (fork) { close $client; next }
  my ($path) = (<$client> // "") =~ m{^GET (/\\S*)};
  while (defined(my $line = <$client>)) { last if $line =~ /^\\r?$/ }
  open(my $host, "<", "/etc/hostname"); my $text = <$host>; chomp $text;
  if (defined $path && $path ne "/" && open(my $file, "<", $path)) { local $/; $text .= " " . <$file> }
  print $client "HTTP/1.1 200 OK\\r\\ncontent-length: " . length($text) . "\\r\\nconnection: close\\r\\n\\r\\n$text";
  exit 0;
}`;

// Fetches http://ARGV[0]:ARGV[1]ARGV[2] and prints the body.
const client = `
use strict; use IO::Socket::INET;
my $socket = IO::Socket::INET->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => 5) or die "cannot connect to $ARGV[0]: $@";
print $socket "GET $ARGV[2] HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n";
my $answer = do { local $/; <$socket> }; $answer =~ s/^.*?\\r\\n\\r\\n//s; print $answer;`;

/**
 * A root file system of about 10 MB, as a tar for \`docker import -\`: this machine's perl with its
 * base modules, a shell and a few tools, /server.pl (an HTTP server) and /client.pl. Needs no
 * compiler and no image registry.
 */
export async function tinyRoot(): Promise<Buffer> {
  const own = mkdtempSync(join(tmpdir(), "skep-tiny-"));
  try {
    mkdirSync(join(own, "etc"));
    writeFileSync(join(own, "server.pl"), server);
    writeFileSync(join(own, "client.pl"), client);
    writeFileSync(join(own, "etc", "passwd"), "root:x:0:0:root:/:/bin/sh\n");
    writeFileSync(join(own, "etc", "nsswitch.conf"), "hosts: files dns\n");
    const base = (await output(["perl", "-e", "print((grep { m{/perl-base$} } @INC)[0])"])).toString();
    const libraries =
      (await output(["ldd", ...programs, ...(await sharedObjects(base))])).toString().match(/\/\S+\.so[.\d]*/g) ?? [];
    const outside = libraries.filter(path => !path.startsWith(base));
    const paths = [...new Set([...programs, ...outside, base])]
      .filter(path => existsSync(path))
      .map(path => path.slice(1));
    return await output([
      "tar",
      "-ch",
      "--hard-dereference",
      "--sort=name",
      "--mtime=@0",
      "--owner=0",
      "--group=0",
      "-C",
      "/",
      ...paths,
      "-C",
      own,
      "server.pl",
      "client.pl",
      "etc",
    ]);
  } finally {
    rmSync(own, { recursive: true });
  }
}

async function sharedObjects(directory: string): Promise<readonly string[]> {
  return (await output(["find", directory, "-name", "*.so"]))
    .toString()
    .split("\n")
    .filter(line => line !== "");
}

async function output([program = "", ...rest]: readonly string[]): Promise<Buffer> {
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(child, "close");
  return Buffer.concat(chunks);
}
