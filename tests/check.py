"""Runs every check of the project, all of them even if one fails: `python tests/check.py`.

Arguments go to pytest. The exit code is 0 only if all passed.
"""

import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sysconfig.get_path("scripts"))
# More than there are processors: tests wait for programs they have started.
WORKERS = (os.cpu_count() or 1) + 2
ENVIRONMENT = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an advertisement
# Tests start hundreds of programs: each would compile all modules again.
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


PYTEST = [sys.executable, "-m", "pytest"]


def checks() -> dict[str, list[str]]:
    """Name and command line of each check but the tests, from this interpreter's environment."""
    commands = {
        "ruff check": [str(SCRIPTS / "ruff"), "check"],
        "ruff format": [str(SCRIPTS / "ruff"), "format", "--check"],
        "mypy": [str(SCRIPTS / "mypy")],
        "import rules": [str(SCRIPTS / "lint-imports")],
    }
    if importlib.util.find_spec("mkdocs") or os.environ.get("FWTUI_REQUIRE_TOOLS") == "1":
        commands["docs"] = [sys.executable, "-m", "mkdocs", "build"]
    else:
        print("== docs: not built, for that is the extra [docs]")
    return commands


def run(command: list[str], **options: Any) -> bool:
    """Run a command to its end; True if it succeeded."""
    return not subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=False, **options).returncode


def start(command: list[str]) -> subprocess.Popen[str]:
    """Begin a check whose words are told later."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_tests(arguments: list[str]) -> bool:
    """Run pytest on all processors."""
    if not (ROOT / "tests" / "__pycache__").exists():
        # Else each worker rewrites the assertions of all modules for itself, which takes it 6 s.
        run([*PYTEST, "--collect-only", "--quiet"], stdout=subprocess.DEVNULL)
    return run([*PYTEST, "-n", str(WORKERS), "--dist", "worksteal", *arguments])


def main() -> int:
    """Run the tests while the other checks go on beside them; what these say comes last."""
    others = {name: start(command) for name, command in checks().items()}
    print("== pytest", flush=True)
    failed = [] if run_tests(sys.argv[1:]) else ["pytest"]
    for name, check in others.items():
        words, _ = check.communicate()
        print(f"== {name}\n{words}", end="", flush=True)
        if check.returncode:
            failed.append(name)
    print(f"FAILED: {', '.join(failed)}" if failed else "All passed.", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
