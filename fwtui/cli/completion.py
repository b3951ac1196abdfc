"""`fwtui completion SHELL`: the script that lets a shell complete commands, options and paths."""

import click
from click.shell_completion import get_completion_class

from fwtui.cli.console import exit_code_help
from fwtui.errors import ExitCode

SHELLS = ("bash", "zsh", "fish")
# What click looks for when the shell asks; made from the program's name.
VARIABLE = "_FWTUI_COMPLETE"


@click.command(
    "completion",
    short_help="The script for tab completion in bash, zsh or fish.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> ExitCode:
    """Print the script that makes SHELL (bash, zsh or fish) complete what is typed.

    Commands, options, their values, paths and session ids are completed. To have it in every
    new shell:

    \b
      bash  echo 'eval "$(fwtui completion bash)"' >> ~/.bashrc
      zsh   echo 'eval "$(fwtui completion zsh)"' >> ~/.zshrc
      fish  fwtui completion fish > ~/.config/fish/completions/fwtui.fish
    """  # noqa: D301 - the mark of a paragraph that is not wrapped
    from fwtui.cli.program import program

    found = get_completion_class(shell)
    assert found is not None  # one of SHELLS
    click.echo(found(program, {}, "fwtui", VARIABLE).source())
    return ExitCode.DONE
