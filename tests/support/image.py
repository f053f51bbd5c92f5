"""What the Dockerfile makes, made in a directory, since no Docker engine runs here.

The instructions are carried out as they stand, but for the places that they speak of: each is below
the directory instead of `/`. Both stages share it; what the second does not copy from the first is
removed between them.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pip

from tests.support.dockerfile import Instruction, Stage, stages

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()

OPT: Final = "/opt/export-middleware"
ETC: Final = "/etc/export-middleware"
STATE: Final = "/var/lib/export-middleware"
RUN: Final = "/run/export-middleware"
_PLACES: Final = (OPT, ETC, STATE, RUN, "/build")

_PATH: Final = re.compile(r"(?<![\w/.:*-])/[\w/.-]+")

_TIMEOUT: Final = 300.0


@dataclass(frozen=True)
class Image:
    """The Dockerfile's directories below `root`."""

    root: Path
    user: int
    """Whose the state is."""

    def moved(self, text: str) -> str:
        """`text` with every place below `root`; an AssertionError where it names another one."""
        foreign = [path for path in _PATH.findall(text) if not path.startswith(_PLACES)]
        assert foreign == [], text
        return self.placed(text)

    def placed(self, text: str) -> str:
        """`text` with every place of ours below `root`, and those that are there already."""
        ours = rf"(?<!{re.escape(str(self.root))})(?:{'|'.join(_PLACES)})"
        return re.sub(ours, lambda place: f"{self.root}{place[0]}", text)

    def path(self, place: str) -> Path:
        return Path(self.moved(place))


def final_stage() -> Stage:
    """What the image is."""
    return stages(DOCKERFILE)[-1]


def image_user() -> int:
    return int(final_stage().one("USER").text.partition(":")[0])


def is_context(path: str) -> bool:
    """Whether `.dockerignore`, which names what there is, lets the path through."""
    listed = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]
    kept = [line.removeprefix("!") for line in listed if line.startswith("!")]
    return "*" in listed and any(path == each or path.startswith(f"{each}/") for each in kept)


def build(image: Image, python: str) -> None:
    """Carry out the Dockerfile with `python` as its `python`."""
    tools = image.root / "tools"
    tools.mkdir()
    (tools / "python").write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    (tools / "python").chmod(0o755)
    (tools / "pip").symlink_to(Path(pip.__file__).parent)  # Debian's Python has none
    build_stage, final = stages(DOCKERFILE)
    _carry_out(build_stage, image, _environ(tools))
    shutil.rmtree(image.root / "build")
    shutil.rmtree(tools)
    _carry_out(final, image, {"PATH": os.defpath})
    assert sorted(path.name for path in image.root.iterdir()) == ["etc", "opt", "var"]


def _environ(tools: Path) -> dict[str, str]:
    """The environment without what makes the source tree importable; and without a compiler."""
    ours = ("PYTHON", "VIRTUAL_ENV")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return environ | {
        "PATH": f"{tools}:{os.defpath}",
        "PYTHONPATH": str(tools),
        "CC": "no-compiler",
        "PIP_NO_CACHE_DIR": "1",  # one that an earlier build has left may be compiled
    }


def _carry_out(stage: Stage, image: Image, environ: dict[str, str]) -> None:
    directory = image.root
    for each in stage.instructions:
        match each.name:
            case "WORKDIR":
                directory = image.path(each.text)
                directory.mkdir(parents=True, exist_ok=True)
            case "COPY":
                _copy(each, image, directory)
            case "RUN":
                _run(image.moved(_for_us(each.text, image)), directory, environ)


def _for_us(command: str, image: Image) -> str:
    """Who is not root gives directories to nobody but itself."""
    if os.geteuid() == 0:
        return command
    return re.sub(r"--(owner|group) \d+", "", command)


def _run(command: str, directory: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=directory,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def _copy(instruction: Instruction, image: Image, directory: Path) -> None:
    *sources, target = instruction.operands
    if "from" in instruction.flags:
        assert sources == [target], "a virtual environment works where it was made only"
        assert image.path(target).exists()
        return
    for source in sources:
        assert is_context(source), f"{source} is not let through by .dockerignore"
        to = image.path(target) if target.startswith("/") else directory / target
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            to = to / source if target.endswith("/") else to
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(image.placed((ROOT / source).read_text()))


def writable(root: Path, *, yes: bool) -> None:
    """Let its owner write to everything below `root`, or nobody."""
    for directory, _, names in os.walk(root):
        for path in [Path(directory), *(Path(directory) / name for name in names)]:
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | 0o200 if yes else mode & ~0o222)
