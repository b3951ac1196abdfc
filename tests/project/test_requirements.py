"""Every package that is imported is declared, and constraints.txt has a version of each."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.cli.test_readme import README
from tests.project.requirements import ROOT, chosen, constraints, dependencies, extras, project

# Their private members or internals are used: a new version must be tried first.
BOUNDED = ("av", "ctranslate2", "faster-whisper", "huggingface-hub", "textual", "tokenizers")
# Scripts that are run by hand, with packages of their own.
BY_HAND = {ROOT / "tests" / "demo_model", ROOT / "tests" / "outputs" / "make_goldens.py"}


def imported(folder: Path) -> Iterator[tuple[str, Path]]:
    """The top-level module of each import, and the file it is in."""
    for file in sorted(folder.rglob("*.py")):
        if BY_HAND.intersection({file, *file.parents}):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], file) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], file


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("fwtui", ("docx", "links")),
        ("tests", ("docx", "links", "test", "docs")),
    ],
)
def test_what_is_imported_is_declared(folder: str, names: tuple[str, ...]) -> None:
    declared = set(dependencies()).union(*(extras()[name] for name in names))
    providers = packages_distributions()
    for module, file in imported(ROOT / folder):
        if module in sys.stdlib_module_names or module in {"fwtui", "tests"}:
            continue
        found = {canonicalize_name(name) for name in providers.get(module, [module])}
        assert found & declared, f"{file} imports {module}, which pyproject.toml does not name"


def test_what_has_internals_that_are_used_is_bounded_above() -> None:
    for name in BOUNDED:
        operators = {one.operator for one in dependencies()[name].specifier}
        assert operators & {"<", "<=", "=="}, name


def test_constraints_are_names_versions_and_markers() -> None:
    for line in constraints():
        assert re.fullmatch(r"==[0-9][^*]*", str(line.specifier)), line
        assert not line.url
        assert not line.extras


def test_constraints_are_versions_that_the_project_allows() -> None:
    for declared in (dependencies(), *extras().values()):
        for name, requirement in declared.items():
            assert chosen(name), f"constraints.txt has no {name}"
            for version in chosen(name):
                assert version in requirement.specifier, f"{name}=={version}"


def test_the_readme_installs_what_was_tested() -> None:
    commands = re.findall(r"^python3 -m venv .*$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 2
    assert all("pip install" in line and "-c constraints.txt" in line for line in commands)


def test_the_pythons_that_are_named_are_those_that_ci_tries() -> None:
    prefix = "Programming Language :: Python :: 3."
    named = [line.removeprefix(prefix) for line in project()["classifiers"] if prefix in line]
    tried = re.search(r"^pythons=\((.*)\)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert tried is not None
    assert [f"3.{minor}" for minor in named] == tried[1].split()[: len(named)]
    assert project()["requires-python"] == f">=3.{named[0]}"
