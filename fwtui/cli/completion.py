"""`fwtui completion`: the script that makes a shell complete commands, options and paths."""

import click
from click.shell_completion import get_completion_class

from fwtui.cli.options import fwtui_command
from fwtui.errors import ExitCode

SHELLS = ("bash", "zsh", "fish")
# Set by the shell when it asks for completions; click makes its name of the program's.
VARIABLE = "_FWTUI_COMPLETE"


@fwtui_command("completion", click.Command)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> ExitCode:
    """Print the tab completion script for SHELL (bash, zsh or fish).

    It completes commands, options and their values, paths and session IDs. To enable it in every
    new shell:

    \b
      bash  echo 'eval "$(fwtui completion bash)"' >> ~/.bashrc
      zsh   echo 'eval "$(fwtui completion zsh)"' >> ~/.zshrc
      fish  fwtui completion fish > ~/.config/fish/completions/fwtui.fish
    """  # noqa: D301 - \\b marks a paragraph that click does not wrap
    from fwtui.cli.program import program

    found = get_completion_class(shell)
    assert found is not None  # one of SHELLS
    click.echo(found(program, {}, "fwtui", VARIABLE).source())
    return ExitCode.DONE
