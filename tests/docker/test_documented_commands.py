"""The commands that the documents tell: posemill's own parsers take each, and nothing is run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import dockerfiles
import pytest
import typer.main

from posemill.cli import app
from posemill.cli.options import key_values

DOCS = dockerfiles.ROOT / "docs"
PAGES = sorted([DOCS / "engines.md", *DOCS.glob("running-*.md")])
HEADERS = [dockerfiles.ROOT / "docker" / name for name in ("ray-cluster.yaml", "kuberay.yaml")]


def commands(text: str) -> list[list[str]]:
    """The words after `posemill` in the lines that extract or pull, without shell comments."""
    joined = re.sub(r"\s*\\\n\s*", " ", re.sub(r"^#", "", text, flags=re.MULTILINE))
    found = re.findall(r"\bposemill ((?:extract|models pull) .*)$", joined, re.MULTILINE)
    return [shlex.split(line.removesuffix("'"), comments=True) for line in found]


def blocks(page: Path) -> str:
    return "\n".join(re.findall(r"^ *```\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE))


def understood(words: list[str]) -> dict[str, Any]:
    command = typer.main.get_command(app)
    for count, word in enumerate(words):
        if not hasattr(command, "commands"):
            break
        command, rest = command.commands[word], words[count + 1 :]
    return dict(command.make_context(words[0], rest).params)


def require_known(engine: str, options: dict[str, str]) -> None:
    match engine:
        case "ray":
            pytest.importorskip("ray")
            from posemill.pipelines.engines.ray_parameters import RayParameters

            RayParameters.parse(options)
        case "beam":
            pytest.importorskip("apache_beam")
            from posemill.pipelines.engines.beam_options import BeamParameters

            BeamParameters.parse(options)
        case "local":
            assert options == {}
        case _:
            pytest.fail(f"no engine is called {engine}")


@pytest.mark.parametrize("page", [*PAGES, *HEADERS], ids=lambda path: path.name)
def test_a_documents_commands_are_understood(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(dockerfiles.ROOT)  # where the files are that they name
    found = commands(blocks(page) if page.suffix == ".md" else page.read_text())
    assert found, page
    for words in found:
        values = understood(words)
        if "engine" in values:
            require_known(values["engine"], key_values("--engine-option", values["engine_option"]))


@pytest.mark.parametrize("page", ["running-flink-spark.md", "running-dataflow.md"])
def test_the_options_of_beam_that_a_document_tells_are_there(page: str) -> None:
    pytest.importorskip("apache_beam")
    from posemill.pipelines.engines.beam_options import _OWN, _known_options

    told = set(re.findall(r"[`,] ?(\w+)=", (DOCS / page).read_text()))
    assert len(told) > 5
    assert told - {"name"} <= set(_known_options()) | set(_OWN)


def test_options_of_the_command_line_replace_those_of_the_file() -> None:
    file = dockerfiles.ROOT / "docker" / "dataflow" / "extract.yaml"
    line = ["extract", "catalog", "-o", "x", "--config", str(file)]
    assert len(understood(line)["engine_option"]) > 1
    assert understood([*line, "--engine-option", "a=b"])["engine_option"] == ["a=b"]
