"""The completion scripts of bash, zsh and fish.

Each script holds all commands and flags, so that a press of the tab key starts no Python. The three
find the words before the cursor that are a command and its verb, and offer what may follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import studio
from studio.cli.shell.tree import Argument, Command

_HEAD = "# Completion of the command studio {version}. Made by: studio completion {shell}"

_BASH = """\
{head}
_studio() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
    local place="" words="" files="" word
    if [[ $current == "=" ]]; then current=""
    elif [[ $previous == "=" ]]; then previous="${{COMP_WORDS[COMP_CWORD-2]}}"; fi
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$place $word" in
            {places}) place="$place $word" ;;
        esac
    done
    case "$place:$previous" in
{values}
        *)
            case "$place" in
{candidates}
            esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ -n $files && $current != -* ]]; then
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
        compopt -o filenames 2>/dev/null
    fi
}}
complete -F _studio studio
"""

_ZSH = """\
#compdef studio
{head}
_studio() {{
    local place="" files="" word previous="${{words[CURRENT-1]}}"
    local -a candidates
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case "$place $word" in
            ({places}) place="$place $word" ;;
        esac
    done
    case "$place:$previous" in
{values}
        (*)
            case "$place" in
{candidates}
            esac ;;
    esac
    (( $#candidates )) && _describe -o studio candidates
    [[ -n $files && ${{words[CURRENT]}} != -* ]] && _files
    return 0
}}
if [[ ${{funcstack[1]}} == _studio ]]; then _studio "$@"; else compdef _studio studio; fi
"""

_FISH = """\
{head}
function __studio_place
    set -l place
    set -l words (commandline -opc)
    for word in $words[2..-1]
        switch "$place $word"
            case {places}
                set place "$place $word"
        end
    end
    test "$place" = "$argv[1]"
end
complete -c studio -f
{candidates}
"""


def completion(shell: str, root: Command) -> str:
    """Return the script for a shell: ``bash``, ``zsh`` or ``fish``."""
    head = _HEAD.format(version=studio.__version__, shell=shell)
    return _SCRIPTS[shell](head, root)


def _bash(head: str, root: Command) -> str:
    commands = list(root.walk())
    values = [
        f"        {_patterns(command, flag)}) {_bash_words(flag)} ;;"
        for command in commands
        for flag in command.flags
        if flag.value
    ]
    candidates = [f'                "{_place(c)}") {_bash_candidates(c)} ;;' for c in commands]
    return _BASH.format(
        head=head,
        places=_places(commands),
        values="\n".join(values),
        candidates="\n".join(candidates),
    )


def _bash_words(*arguments: Argument) -> str:
    words = [word for one in arguments for word in one.choices]
    files = " files=1" if any(one.takes_file for one in arguments) else ""
    return f"words={_quoted(' '.join(words))}{files}"


def _bash_candidates(command: Command) -> str:
    names = [verb.path[-1] for verb in command.verbs]
    names += [word for one in command.positionals for word in one.choices]
    names += [flag for one in command.flags for flag in one.flags]
    files = " files=1" if any(one.takes_file for one in command.positionals) else ""
    return f"words={_quoted(' '.join(names))}{files}"


def _zsh(head: str, root: Command) -> str:
    commands = list(root.walk())
    values = [
        f"        ({_patterns(command, flag)}) {_zsh_values(flag)} ;;"
        for command in commands
        for flag in command.flags
        if flag.value
    ]
    candidates = [
        f'            ("{_place(c)}") {_zsh_list(_described(c), c.positionals)} ;;'
        for c in commands
    ]
    return _ZSH.format(
        head=head,
        places=_places(commands),
        values="\n".join(values),
        candidates="\n".join(candidates),
    )


def _zsh_values(flag: Argument) -> str:
    return _zsh_list([(word, "") for word in flag.choices], [flag])


def _zsh_list(pairs: Iterable[tuple[str, str]], arguments: Iterable[Argument]) -> str:
    entries = " ".join(_quoted(_zsh_entry(word, text)) for word, text in pairs)
    files = " files=1" if any(one.takes_file for one in arguments) else ""
    return f"candidates=({entries}){files}"


def _zsh_entry(word: str, text: str) -> str:
    word = word.replace(":", "\\:")
    return f"{word}:{text}" if text else word


def _fish(head: str, root: Command) -> str:
    commands = list(root.walk())
    lines = [line for command in commands for line in _fish_lines(command)]
    places = " ".join(_quoted(_place(command)) for command in commands if command.path)
    return _FISH.format(head=head, places=places, candidates="\n".join(lines))


def _fish_lines(command: Command) -> list[str]:
    here = f"complete -c studio -n '__studio_place \"{_place(command)}\"'"
    lines = [f"{here} -a {verb.path[-1]} -d {_quoted(_short(verb.help))}" for verb in command.verbs]
    words = [word for one in command.positionals for word in one.choices]
    if words:
        lines.append(f"{here} -a {_quoted(' '.join(words))}")
    if any(one.takes_file for one in command.positionals):
        lines.append(f"{here} -F")
    for flag in command.flags:
        names = [f"-s {name[1:]}" if len(name) == 2 else f"-l {name[2:]}" for name in flag.flags]
        value = f" -r{_fish_value(flag)}" if flag.value else ""
        lines.append(f"{here} {' '.join(names)}{value} -d {_quoted(_short(flag.help))}")
    return lines


def _fish_value(flag: Argument) -> str:
    words = f" -a {_quoted(' '.join(flag.choices))}" if flag.choices else ""
    return f" -F{words}" if flag.takes_file else f" -f{words}"


def _place(command: Command) -> str:
    return "".join(f" {word}" for word in command.path)


def _places(commands: Sequence[Command]) -> str:
    return "|".join(f'"{_place(command)}"' for command in commands if command.path)


def _patterns(command: Command, flag: Argument) -> str:
    return "|".join(f'"{_place(command)}:{name}"' for name in flag.flags)


def _described(command: Command) -> list[tuple[str, str]]:
    pairs = [(verb.path[-1], _short(verb.help)) for verb in command.verbs]
    pairs += [(word, "") for one in command.positionals for word in one.choices]
    return pairs + [(flag, _short(one.help)) for one in command.flags for flag in one.flags]


def _short(text: str) -> str:
    """Return the first clause of a help text, which has room in a list of candidates."""
    return re.split(r"[;.:(\[]\s?", text, maxsplit=1)[0].strip()


def _quoted(text: str) -> str:
    """Return a text in single quotes, which all three shells read alike."""
    return "'" + text.replace("'", "’") + "'"


_SCRIPTS: dict[str, Callable[[str, Command], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
SHELLS = tuple(_SCRIPTS)
