"""Dockerfiles, their build arguments and their contexts, as far as tests ask."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Instruction:
    name: str
    text: str
    stage: int
    """Counted from 0; -1 before the first FROM."""


def read(path: Path) -> list[Instruction]:
    """The instructions of a Dockerfile, each on one line, without comments."""
    lines = [line for line in path.read_text().splitlines() if not re.match(r"\s*#", line)]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    stage, found = -1, []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, text = line.partition(" ")
        stage += name == "FROM"
        found.append(Instruction(name, " ".join(text.split()), stage))
    return found


def arguments(instructions: Sequence[Instruction]) -> dict[str, str]:
    """Build arguments and their defaults."""
    pairs = (each.text.partition("=") for each in instructions if each.name == "ARG")
    return {name: default for name, _, default in pairs}


def resolved(text: str, values: Mapping[str, str]) -> str:
    """`text` with `${NAME}` replaced."""
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], text)


def sources(instruction: Instruction) -> list[str]:
    """What a COPY takes from the build's context; nothing where it takes from another stage."""
    words = shlex.split(instruction.text)
    flags = [word for word in words if word.startswith("--")]
    copies = not any(flag.startswith("--from") for flag in flags)
    return [word.removeprefix("./") for word in words[len(flags) : -1]] if copies else []


def is_sent(path: str, ignore: Sequence[str]) -> bool:
    """Whether a build's context holds `path`, by the lines of a .dockerignore; the last one counts.

    Knows `*`, plain paths, which hold for what is below them, and `**/NAME`.
    """
    sent = True
    parents = [path, *(str(each) for each in Path(path).parents if str(each) != ".")]
    for line in ignore:
        pattern = line.removeprefix("!")
        anywhere = pattern.removeprefix("**/")
        names = [Path(each).name for each in parents] if anywhere != pattern else parents
        if any(fnmatchcase(name, anywhere) for name in names):
            sent = line.startswith("!")
    return sent


def ignore_lines() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def setup_arguments() -> dict[str, Any]:
    """What setup.py tells setuptools."""
    with patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    return dict(setup.call_args.kwargs)


def pinned(package: str) -> str:
    """Its version in constraints.txt."""
    found = re.search(rf"^{package}==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert found is not None, package
    return found[1]
