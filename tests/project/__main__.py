"""Writes constraints.txt with the newest versions that are allowed: `python -m tests.project`.

Needs uv. Run `.ci/run` with the new versions before they are committed.
"""

import subprocess

from tests.project.requirements import ROOT, extras

COMMAND = "uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header"
COMMAND += " --no-annotate --no-emit-index-url pyproject.toml --output-file constraints.txt"

wanted = [word for extra in extras() for word in ("--extra", extra)]
subprocess.run([*COMMAND.split(), *wanted], cwd=ROOT, check=True)
