"""The structure of the code in figures: `python -m tests.house`.

Everything is read from the source as text; nothing of the program is imported.
"""

import ast
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "fwtui"

# The field's usual names for a module of its kind, and the pair of a command and its screen.
SHARED_STEMS = frozenset({"__init__", "__main__", "client", "protocol", "settings", "models"})
PAIRED_FOLDERS = frozenset({"fwtui/cli", "fwtui/tui/screens"})
# Trees of types, not classes that were cut into pieces.
SINGLE_SUBCLASS_ALLOWED = re.compile(r"Error$|^Message$")

# What a change of each kind touches, by an example of it: every file that names the example.
CHANGES: Mapping[str, str] = {
    "durable change (reordering the queue)": r"\b(ArrangeJobs|JobsReordered|Reordered)\b",
    "event (a hook failed)": r"\bHookFailed\b",
    "setting (repetition_penalty)": r"\brepetition_penalty\b",
    "key (Ctrl+O)": r"\bctrl\+o\b",
    "output format (lrc)": r"\blrc\b",
}


@cache
def sources() -> Mapping[str, str]:
    """Text of each module, by its path from the root of the project."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / PACKAGE).rglob("*.py"))
    }


@cache
def trees() -> Mapping[str, ast.Module]:
    """Syntax tree of each module."""
    return {path: ast.parse(text) for path, text in sources().items()}


def module_name(path: str) -> str:
    """The dotted name of a module."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    """Each class with its module's path."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield path, node


def repeated(named: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names that stand in several places: name to places."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, place in named:
        places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def repeated_class_names() -> dict[str, list[str]]:
    """Public class names that stand in several modules."""
    return repeated((node.name, path) for path, node in classes() if not node.name.startswith("_"))


def repeated_module_names() -> dict[str, list[str]]:
    """Module stems that stand in several packages, apart from the allowed ones."""
    paths = [Path(path) for path in sources()]
    found = repeated((path.stem, path.as_posix()) for path in paths)
    return {
        stem: places
        for stem, places in found.items()
        if stem not in SHARED_STEMS
        and {Path(place).parent.as_posix() for place in places} != PAIRED_FOLDERS
    }


def single_subclasses() -> dict[str, str]:
    """Our own base classes with exactly one subclass: base to subclass."""
    own = {node.name for _, node in classes()}
    children: dict[str, set[str]] = defaultdict(set)
    for _, node in classes():
        for base in node.bases:
            name = ast.unparse(base.value if isinstance(base, ast.Subscript) else base)
            children[name.rpartition(".")[2]].add(node.name)
    return {
        base: next(iter(found))
        for base, found in children.items()
        if base in own and len(found) == 1 and not SINGLE_SUBCLASS_ALLOWED.search(base)
    }


@cache
def imports() -> Mapping[str, frozenset[str]]:
    """The modules of the project that each one imports, inside functions and for types too."""
    known = {module_name(path): path for path in sources()}
    found: dict[str, frozenset[str]] = {}
    for path, tree in trees().items():
        names: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                within = {f"{node.module}.{alias.name}" for alias in node.names}
                names |= (within & known.keys()) or {node.module}
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        found[path] = frozenset(known[name] for name in names & known.keys() if known[name] != path)
    return found


def import_cycles() -> list[list[str]]:
    """Groups of modules that import each other, the largest first (Tarjan's algorithm)."""
    graph, order, low = imports(), dict[str, int](), dict[str, int]()
    stack: list[str] = []
    cycles: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for target in graph[node]:
            if target not in order:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], order[target])
        if low[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                cycles.append(sorted(group))

    for path in graph:
        if path not in order:
            visit(path)
    return sorted(cycles, key=len, reverse=True)


def function_lengths() -> dict[str, int]:
    """Lines of each function, docstring included, by module and name."""
    return {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def files_naming(pattern: str) -> list[str]:
    """The modules whose text has the pattern."""
    return [path for path, text in sources().items() if re.search(pattern, text)]


def package_of(path: str) -> str:
    """The package directly below the root that a module is in, or the module itself."""
    parts = path.split("/")
    return parts[1] + "/" if len(parts) > 2 else parts[1]


def print_sizes() -> None:
    """Print files, modules (files but for the docstring of a package) and lines by package."""
    figures: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for path, text in sources().items():
        for name in (package_of(path), "all"):
            counts = figures[name]
            counts[0] += 1
            counts[1] += not path.endswith("__init__.py") or text.count("\n") > 1
            counts[2] += text.count("\n")
    print(f"{'package':<14}{'files':>8}{'modules':>8}{'lines':>8}")
    for name in sorted(figures, key=lambda name: (name == "all", name)):
        print(f"{name:<14}" + "".join(f"{count:>8}" for count in figures[name]))


def print_list(title: str, rows: Iterable[str]) -> None:
    """Print a title with the number of rows, and the rows below it."""
    found = list(rows)
    print(f"\n{title}: {len(found)}")
    for row in found:
        print(f"  {row}")


def main() -> None:
    """Print all figures."""
    print_sizes()
    lengths = function_lengths()
    longest = max(lengths, key=lambda name: lengths[name])
    print(f"\nFunctions: {len(lengths)}, median {statistics.median(lengths.values()):.0f} lines,")
    print(f"  longest {lengths[longest]}: {longest}")
    print_list("Cycles of imports", (", ".join(cycle) for cycle in import_cycles()))
    both = {**repeated_class_names(), **repeated_module_names()}
    print_list("Names that stand twice", (f"{name}: {', '.join(at)}" for name, at in both.items()))
    bases = single_subclasses().items()
    print_list("Base classes with one subclass", (f"{base} ← {sub}" for base, sub in bases))
    for change, pattern in CHANGES.items():
        print_list(f"Files that a change touches, {change}", files_naming(pattern))


if __name__ == "__main__":
    main()
