"""What is only there when an extra is installed."""

from fwtui.errors import UsageError


def docx_missing() -> UsageError:
    """The error where python-docx is not installed."""
    return UsageError(
        "the format docx needs python-docx, which is not installed", "pip install 'fwtui[docx]'"
    )


def check_format(output_format: str) -> None:
    """Raise UsageError if this format cannot be written here."""
    if output_format == "docx":
        from importlib.util import find_spec

        if find_spec("docx") is None:
            raise docx_missing()
