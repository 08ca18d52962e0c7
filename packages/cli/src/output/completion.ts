/** A command as a shell completes it. */
export interface CompletionEntry {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly string[];
  readonly subcommands: readonly string[];
}

/** A script for bash; `eval` it. */
export function bashScript(entries: readonly CompletionEntry[]): string {
  const cases = entries.map(entry => `    ${entry.name}) words="${wordsOf(entry)}" ;;`).join("\n");
  return `_skep() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  case "\${COMP_WORDS[1]}" in
${cases}
    *) words="${entries.map(entry => entry.name).join(" ")} --help --version" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${entries.map(entry => entry.name).join(" ")} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    -f|--file|--token-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    -o|--output) COMPREPLY=($(compgen -W "table json" -- "$current")) ;;
  esac
}
complete -F _skep skep
`;
}

/** A script for zsh; save it as \`_skep\` in the fpath, or source it. */
export function zshScript(entries: readonly CompletionEntry[]): string {
  const commands = entries.map(entry => `    '${entry.name}:${quote(entry.summary)}'`).join("\n");
  const cases = entries.map(entry => `    ${entry.name}) compadd -- ${wordsOf(entry)} ;;`).join("\n");
  return `#compdef skep
_skep() {
  local -a commands
  commands=(
${commands}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "$words[CURRENT-1]" in
    -f|--file|--token-file) _files; return ;;
    -o|--output) compadd table json; return ;;
  esac
  case "$words[2]" in
${cases}
  esac
}
compdef _skep skep
`;
}

/** A script for fish; pipe it into \`source\`. */
export function fishScript(entries: readonly CompletionEntry[]): string {
  const lines = entries.flatMap(({ name, summary, options, subcommands }) => [
    `complete -c skep -n __fish_use_subcommand -a ${name} -d '${quote(summary)}'`,
    ...subcommands.map(sub => `complete -c skep -n '__fish_seen_subcommand_from ${name}' -a ${sub}`),
    ...options.map(option => {
      const file = option.endsWith("file") ? " -r -F" : "";
      return `complete -c skep -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}${file}`;
    }),
  ]);
  return `complete -c skep -f\n${lines.join("\n")}\n`;
}

function wordsOf({ options, subcommands }: CompletionEntry): string {
  return [...subcommands, ...options, "--help"].join(" ");
}

function quote(text: string): string {
  return text.replaceAll("'", "").replaceAll(":", "");
}
