"""Packages of third parties, installed beside the server as pip does it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def install(source: Path, root: Path) -> str:
    """Build and install a package from a copy of its source, without any index.

    Returns the PYTHONPATH with which a process finds it.
    """
    shutil.copytree(source, root / "source", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    command = [*pip, *offline, "--target", str(root / "site"), str(root / "source")]
    subprocess.run(command, check=True, timeout=120)
    return os.pathsep.join([str(root / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
