/**
 * The text of a script that runs a program of an unpacked tree with the libraries that were
 * unpacked beside it. `path` is the program's in the tree, `up` leads from the script to the tree.
 */
export function libraryWrapper(path: string, up: string): string {
  const home = `home=$(cd "$(dirname "$(readlink -f "$0")")/${up}" && pwd)`;
  const libraries = 'export LD_LIBRARY_PATH="$(echo "$home"/usr/lib/*-linux-gnu):$LD_LIBRARY_PATH"';
  return `#!/bin/sh\n${home}\n${libraries}\nexec "$home/${path}" "$@"\n`;
}
