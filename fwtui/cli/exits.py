"""Exit codes as the help texts show them."""

from fwtui.errors import EXIT_CODE_HELP


def exit_code_help() -> str:
    """The exit codes and their meanings, as click's unwrapped paragraph."""
    lines = [f"  {code:d}  {meaning}" for code, meaning in EXIT_CODE_HELP.items()]
    return "\b\nExit codes:\n" + "\n".join(lines)
