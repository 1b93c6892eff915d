"""An estimator plug-in that hurts: it, and the decoder below it, fail as a file's name says.

`plant` registers it as `poison`, as any plug-in is: by an entry point in a
folder on the path. It finds one "person" a frame from the frame's brightness,
without torch, so that its processes start quickly.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posemill.models.estimators.base import Estimator, EstimatorOptions, EstimatorSpec, Persons
from posemill.schema import UInt8
from posemill.storage.video import Frame, VideoReader
from posemill.transforms.skeletons import COCO_17

PROBE_WIDTH = 64
ESTIMATOR_FAULTS = {144: "crash", 160: "hang", 176: "exception", 192: "hog", 208: "feast"}
"""By the width of a video's frames, the only thing that an estimator sees of it."""
DECODER_FAULTS = ("crash", "hang", "exception", "hog")
"""By the name of a video's file: `decoder_crash.mp4` and so on."""
NOBODY_WIDTH = 224
"""Of frames in which it finds no person."""
_FATAL_FRAME = 5
# Python runs it at its start, where it finds it on its path.
_AT_START = """
import sys
if "posemill.pipelines.decode.decoder_process" in sys.orig_argv:
    import poison
    poison.infect()
"""


def plant(folder: Path, name: str = "poison") -> Path:
    """Write a distribution that registers `create` of a module; put the folder on the path."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "sitecustomize.py").write_text(_AT_START)
    (info / "entry_points.txt").write_text(f"[posemill.estimators]\n{name} = {name}:create\n")
    return folder


def create(options: EstimatorOptions) -> PoisonEstimator:
    return PoisonEstimator(options.parameters.get("device"))


class PoisonEstimator(Estimator):
    """With a `device` file, the worker that claims it first has a broken device from then on.

    The others then wait for a file `.retired` beside it.
    """

    def __init__(self, device: Any) -> None:
        self.spec = EstimatorSpec("poison", COCO_17.name, 4)
        self._device = None if device is None else Path(device)

    def fingerprint(self) -> str:
        return "poison"

    def estimate(self, frames: Iterable[UInt8]) -> Iterator[Persons]:
        for number, frame in enumerate(frames):
            self._use_device(frame)
            if number == _FATAL_FRAME:
                commit(ESTIMATOR_FAULTS.get(frame.shape[1], ""))
            yield _person(frame)

    def _use_device(self, frame: UInt8) -> None:
        if self._device is None:
            return
        worker = str(_worker_pid())
        if frame.shape[1] != PROBE_WIDTH and not self._device.exists():
            self._device.write_text(worker)
        owner = self._device.read_text() if self._device.exists() else ""
        if owner in (worker, "all"):
            raise RuntimeError("the device is lost")
        while owner.isdigit() and not self._device.with_suffix(".retired").exists():
            time.sleep(0.05)


def infect() -> None:
    """Have the decoder fail in the middle of a file of a telling name, in this process."""
    decode = VideoReader.__next__

    def decode_or_fail(reader: VideoReader) -> Frame:
        kind, _, fault = reader.path.stem.partition("_")
        if kind == "decoder" and reader.frames_decoded == _FATAL_FRAME:
            commit(fault)
        return decode(reader)

    VideoReader.__next__ = decode_or_fail


def commit(fault: str) -> None:
    """Do what kills a process, or stops it."""
    if fault == "crash":
        ctypes.string_at(0)
    if fault and (note := os.environ.get("POISON_NOTE")):
        Path(note).touch()
    if fault == "hang":
        ctypes.PyDLL(None).sleep(600)  # holds the interpreter's lock
    if fault == "exception":
        raise RuntimeError("out of imagination")
    if fault == "feast":
        hoard = [np.ones(5 * 2**25)]  # 1.25 GiB, for long enough to be seen
        time.sleep(2)
    if fault == "hog":
        hoard = []
        while True:
            hoard.append(np.ones(2**23))  # 64 MiB
            time.sleep(0.02)


def write_video(path: Path, width: int = 128, frames: int = 12) -> None:
    """Grey frames that grow brighter."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 24.0, (width, 96))
    for number in range(frames):
        writer.write(np.full((96, width, 3), 16 * number + len(path.stem), np.uint8))
    writer.release()


def _person(frame: UInt8) -> Persons:
    number = 0 if frame.shape[1] == NOBODY_WIDTH else 1
    xy_px = np.full((number, 17, 2), frame.mean() / 4, np.float32)
    return Persons(xy_px, np.ones((number, 17), np.float32), np.zeros(number, np.int64))


def _worker_pid() -> int:
    """The parent of the guard, which is the parent of this process."""
    stat = Path(f"/proc/{os.getppid()}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])
