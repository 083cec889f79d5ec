import { ownValue } from '#base';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';

/**
 * The scripts only pass the words on to `__complete`, which answers `word<TAB>summary` lines from the command tables: an
 * installed script never becomes outdated. Where nothing is answered, the shell completes file names.
 */
const SCRIPTS: Readonly<Record<string, (program: string) => string>> = { bash, zsh, fish };

/** Writes the completion script of a shell. */
export const command = defineCommand({
  usage: 'bash|zsh|fish',
  arguments: { min: 1, max: 1 },
  flags: {},
  examples: [
    'source <(gantry completion bash)',
    'gantry completion zsh > /usr/local/share/zsh/site-functions/_gantry',
    'gantry completion fish > ~/.config/fish/completions/gantry.fish',
  ],
  async run({ args: [shell = ''] }, ctx) {
    const script = ownValue(SCRIPTS, shell);
    if (!script)
      throw cliError(`unknown shell ${JSON.stringify(shell)}: one of ${Object.keys(SCRIPTS).join(', ')}`);
    await ctx.stdout.write(script(ctx.program));
    return undefined;
  },
});

/** Bash breaks words at colons and equal signs, too; what stands before the last of them must be cut off again. */
function bash(program: string): string {
  return `# bash completion of ${program}
_${program}() {
  local line=\${COMP_LINE:0:COMP_POINT} current cut candidate
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  cut=\${current%"\${current##*[:=]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    COMPREPLY+=("\${candidate#"$cut"}")
  done < <(${program} __complete "\${words[@]:1}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace
  return 0
}
complete -o bashdefault -o default -F _${program} ${program}
`;
}

function zsh(program: string): string {
  return `#compdef ${program}
# zsh completion of ${program}
_${program}() {
  local line
  local -a candidates
  while IFS= read -r line; do
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(${program} __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then
    _describe '${program}' candidates
  else
    _files
  fi
}
compdef _${program} ${program}
`;
}

function fish(program: string): string {
  return `# fish completion of ${program}
function __${program}_complete
  set -l words (commandline -opc) (commandline -ct)
  ${program} __complete $words[2..-1] 2>/dev/null
end
complete -c ${program} -a '(__${program}_complete)'
`;
}
