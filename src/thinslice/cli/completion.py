"""``thinslice completion``: print a script by which a shell completes commands and options."""

import argparse
from collections.abc import Iterator

from thinslice.cli.parsing import subparsers_of

SHELLS = {"bash": "", "zsh": "autoload -U +X bashcompinit && bashcompinit\n"}
USE = """# Completion of thinslice for {shell}: keep this in a file, and read it in ~/.{shell}rc
#     thinslice completion {shell} > ~/.thinslice.{shell}
#     echo 'source ~/.thinslice.{shell}' >> ~/.{shell}rc
"""
SCRIPT = """_thinslice() {
    local now="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words
    case "${COMP_WORDS[1]} $before" in
%(values)s    *) case "$COMP_CWORD ${COMP_WORDS[1]}" in
        1\\ *) words="%(commands)s" ;;
%(options)s        esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$now"))
}
complete -o default -F _thinslice thinslice
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("completion", help="print a script for a shell's completion")
    parser.add_argument("shell", choices=list(SHELLS), metavar="SHELL", help="bash or zsh")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 always; the script goes to standard output."""
    print(USE.format(shell=arguments.shell) + SHELLS[arguments.shell] + script(), end="")
    return 0


def script() -> str:
    """The part that bash and zsh share."""
    from thinslice.cli import command  # it imports this module to register it

    parsers = subparsers_of(command.parser_of(list(command.COMMANDS), every=True))
    values, options = [], []
    for name, parser in parsers.items():
        for option, words in _values(parser):
            values.append(f'    "{name} {option}") words="{words}" ;;\n')
        options.append(f'        *\\ {name}) words="{" ".join(_words(parser))}" ;;\n')
    made = {"values": "".join(values), "options": "".join(options), "commands": " ".join(parsers)}
    return SCRIPT % made


def _values(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Each option that takes one of a few words, with them."""
    from thinslice.restoration.methods import known

    for action in parser._actions:
        choices = list(known()) if "--method" in action.option_strings else action.choices
        for option in action.option_strings if choices else ():
            yield option, " ".join(map(str, choices or ()))


def _words(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Options and, where one is chosen first, what there is to choose."""
    for action in parser._actions:
        yield from action.option_strings
        if not action.option_strings and action.choices:
            yield from map(str, action.choices)
