"""A Python that the user of a service may run: root's own may lie where nobody else may look."""

import os
import shutil
import subprocess
import sys
from typing import Any, Final

import pytest

_ASKED: Final = "import sys, venv; sys.exit(sys.version_info < (3, 11))"


def as_user(user: int) -> dict[str, Any]:
    """What `subprocess` needs to run something as `user`; nothing where we are not root."""
    if os.geteuid() != 0:
        return {}
    return {"user": user, "group": user, "extra_groups": ()}


def require_interpreter(user: int) -> str:
    """A Python of 3.11 or later that `user` may run; skips, or fails where CI is "true"."""
    version = f"python3.{sys.version_info.minor}"
    base = str(getattr(sys, "_base_executable", sys.executable))
    for found in (base, f"/usr/bin/{version}", shutil.which(version), "/usr/bin/python3"):
        if found is not None and _runs(found, user):
            return found
    reason = f"no Python of 3.11 or later that user {user} may run: apt-get install python3-venv"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _runs(python: str, user: int) -> bool:
    try:
        asked = subprocess.run([python, "-c", _ASKED], check=False, timeout=60, **as_user(user))
    except OSError:
        return False
    return asked.returncode == 0
