/** `aetherflow completion SHELL`: a script that completes commands and options, made of what the command line knows. */
import type { Command, Option } from 'commander'
import type { Shell } from '../choices.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'

interface Known {
  /** `cache list`; '' for the program itself. */
  readonly path: string
  readonly about: string
  /** And words that an argument may be. */
  readonly commands: readonly string[]
  readonly options: readonly { readonly flag: string; readonly about: string; readonly choices: readonly string[] }[]
}

export function completion(shell: Shell, program: Command, host: Host): ExitCode {
  const known = commandsOf(program, '')
  host.stdout.write({ bash, zsh, fish }[shell](known))
  return exitCodes.ok
}

function commandsOf(command: Command, path: string): Known[] {
  const option = ({ long, description, argChoices }: Option) => ({
    flag: long ?? '',
    about: description,
    choices: argChoices ?? [],
  })
  const own: Known = {
    path,
    about: command.description(),
    commands: [
      ...command.commands.map((one) => one.name()),
      ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ],
    options: [...command.options.map(option), { flag: '--help', about: 'help', choices: [] }],
  }
  return [own, ...command.commands.flatMap((one) => commandsOf(one, `${path} ${one.name()}`.trim()))]
}

/** Inside single quotes of every shell here. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

function bash(known: readonly Known[]): string {
  const cases = known.map(({ path, commands, options }) => {
    const words = [...commands, ...options.map(({ flag }) => flag)].join(' ')
    return `    ${quoted(path)}) words=${quoted(words)} ;;`
  })
  const choices = known.flatMap(({ options }) => options.filter((one) => one.choices.length > 0))
  const values = [...new Map(choices.map((one) => [one.flag, one])).values()].map(
    ({ flag, choices }) => `    ${flag}) COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$word")); return ;;`,
  )
  return `# aetherflow completion bash >> ~/.bashrc
_aetherflow() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' i one
  for ((i = 1; i < COMP_CWORD; i++)); do
    one="\${COMP_WORDS[i]}"
    case "$one" in -*) continue ;; esac
    case ${quoted(` ${known.map(({ path }) => path.replace(' ', '/')).join(' ')} `)} in
      *" \${path:+$path/}$one "*) path="\${path:+$path/}$one" ;;
    esac
  done
  case "$before" in
${values.join('\n')}
    --output | --files | --cache | --config | --keys-file | --allow-file | --docs) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case "\${path/\\// }" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  case "$word" in -*) ;; *) COMPREPLY+=($(compgen -f -- "$word")) ;; esac
}
complete -o filenames -F _aetherflow aetherflow
`
}

function zsh(known: readonly Known[]): string {
  return `# aetherflow completion zsh >> ~/.zshrc, behind compinit
autoload -U +X bashcompinit && bashcompinit
${bash(known)}`
}

function fish(known: readonly Known[]): string {
  const lines = known.flatMap(({ path, commands, options }) => {
    const names = path === '' ? [] : path.split(' ')
    const when =
      names.length === 0
        ? '__fish_use_subcommand'
        : names.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ')
    const about = (name: string): string => known.find((one) => one.path === [...names, name].join(' '))?.about ?? ''
    return [
      ...commands.map((name) => `complete -c aetherflow -n ${quoted(when)} -a ${name} -d ${quoted(about(name))}`),
      ...options.map(({ flag, about, choices }) => {
        const values = choices.length === 0 ? '' : ` -x -a ${quoted(choices.join(' '))}`
        return `complete -c aetherflow -n ${quoted(when)} -l ${flag.slice(2)} -d ${quoted(about)}${values}`
      }),
    ]
  })
  return `# aetherflow completion fish > ~/.config/fish/completions/aetherflow.fish\n${lines.join('\n')}\n`
}
