"""What pyproject.toml asks for and constraints.txt chooses."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]


def project() -> dict[str, Any]:
    """The table `project` of pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


def dependencies() -> dict[str, Requirement]:
    """What is installed with fwtui, by name."""
    return _by_name(project()["dependencies"])


def extras() -> dict[str, dict[str, Requirement]]:
    """What each extra adds, without extras in extras."""
    return {
        extra: _by_name(line for line in lines if not line.startswith("fwtui["))
        for extra, lines in project()["optional-dependencies"].items()
    }


def constraints() -> list[Requirement]:
    """The lines of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines]


def chosen(name: str) -> list[Version]:
    """The versions that constraints.txt has of a package: one, or several for different Pythons."""
    return sorted(
        Version(next(iter(line.specifier)).version)
        for line in constraints()
        if canonicalize_name(line.name) == name
    )


def tested_versions() -> Iterator[str]:
    """The lines of the file that tells the doctor which versions were tested."""
    yield "# The oldest and newest version of each package that the tests were run with."
    yield "# From pyproject.toml and constraints.txt, by: python -m tests.docs"
    for name, requirement in sorted(dependencies().items()):
        oldest = next(one.version for one in requirement.specifier if one.operator in {">=", "=="})
        yield f'{name} = ["{oldest.removesuffix(".*")}", "{chosen(name)[-1]}"]'


def _by_name(lines: Any) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): one for one in found}
