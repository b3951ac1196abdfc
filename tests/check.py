"""Runs every check of the project, all of them even if one fails: `python tests/check.py`.

Arguments go to pytest. The exit code is 0 only if all passed.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sysconfig.get_path("scripts"))
# More than there are processors: tests wait for programs they have started.
WORKERS = (os.cpu_count() or 1) + 2
ENVIRONMENT = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an advertisement
# Tests start hundreds of programs: each would compile all modules again.
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


def checks(arguments: list[str]) -> dict[str, list[str]]:
    """Name and command line of each check, from this interpreter's environment."""
    return {
        "ruff check": [str(SCRIPTS / "ruff"), "check"],
        "ruff format": [str(SCRIPTS / "ruff"), "format", "--check"],
        "mypy": [str(SCRIPTS / "mypy")],
        "docs": [sys.executable, "-m", "mkdocs", "build"],
        "import rules": [str(SCRIPTS / "lint-imports")],
        "pytest": [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            str(WORKERS),
            "--dist",
            "worksteal",
            *arguments,
        ],
    }


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


def main() -> int:
    """Run the tests while the other checks go on beside them; what these say comes last."""
    commands = checks(sys.argv[1:])
    tests = commands.pop("pytest")
    others = {name: start(command) for name, command in commands.items()}
    print("== pytest", flush=True)
    failed = (
        ["pytest"]
        if subprocess.run(tests, cwd=ROOT, env=ENVIRONMENT, check=False).returncode
        else []
    )
    for name, check in others.items():
        words, _ = check.communicate()
        print(f"== {name}\n{words}", end="", flush=True)
        if check.returncode:
            failed.append(name)
    print(f"FAILED: {', '.join(failed)}" if failed else "All passed.", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
