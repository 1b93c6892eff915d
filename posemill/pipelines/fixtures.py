"""Writes a folder of rendered, exactly annotated videos: `posemill fixtures DIR`.

The layout is described in docs/fixtures.md. A folder half written is completed,
a complete one is left alone, one of other parameters is refused. Scripts that
ask for several workers need the usual `if __name__ == "__main__":` guard, since
workers are spawned.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posemill.errors import EnvironmentFault, InputError
from posemill.fixtures.actions import CLASSES, MIRROR_LABELS
from posemill.fixtures.body import Subset
from posemill.fixtures.scene import MAX_FRAMES, MIN_FRAMES, ClipSpec, FixtureClip, render_clip
from posemill.provenance import differences

FORMAT_VERSION = 1
MANIFEST = "fixtures.json"
MIRRORS = "mirror_labels.json"
TRAIN_SHARE = 0.75

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class FixtureParameters:
    """What decides the content of a folder of fixtures.

    Raises:
        InputError: fewer than two clips, a rate that is not positive, or an
            odd size, which the codec cannot write.
    """

    num_clips: int
    seed: int = 0
    width: int = 256
    height: int = 192
    min_frames: int = MIN_FRAMES
    max_frames: int = MAX_FRAMES
    fps: float = 24.0

    def __post_init__(self) -> None:
        if self.num_clips < 2:
            raise InputError(
                f"fixtures need at least 2 clips (train and test), got {self.num_clips}"
            )
        if self.fps <= 0:
            raise InputError(f"the frame rate must be positive, got {self.fps}")
        if self.width % 2 or self.height % 2:
            raise InputError(
                f"width and height must be even for the codec, got {self.width} x {self.height}"
            )

    def clips(self) -> list[ClipSpec]:
        """All clips: three of four for training, the classes of each subset in equal number
        (but for one clip where they do not divide)."""
        num_train = min(max(round(TRAIN_SHARE * self.num_clips), 1), self.num_clips - 1)
        subsets: tuple[tuple[Subset, int], ...] = (
            ("train", num_train),
            ("test", self.num_clips - num_train),
        )
        return [
            self._clip(subset, CLASSES[index % len(CLASSES)], index // len(CLASSES))
            for subset, count in subsets
            for index in range(count)
        ]

    def _clip(self, subset: Subset, label: str, number: int) -> ClipSpec:
        return ClipSpec(
            seed=self.seed,
            subset=subset,
            label=label,
            number=number,
            width=self.width,
            height=self.height,
            min_frames=self.min_frames,
            max_frames=self.max_frames,
        )

    def manifest(self) -> dict[str, Any]:
        """What `fixtures.json` holds."""
        return {"format_version": FORMAT_VERSION, "classes": list(CLASSES), **asdict(self)}


@dataclass(frozen=True, slots=True)
class FixtureSummary:
    """What `write_fixtures` left in the folder."""

    root: Path
    num_train: int
    num_test: int
    rendered: int
    """Clips made by this call; the others were there already."""


def write_fixtures(
    out: Path,
    parameters: FixtureParameters,
    *,
    workers: int = 1,
    on_progress: OnProgress | None = None,
) -> FixtureSummary:
    """Render the clips of `parameters` below `out`; those already there are kept.

    `on_progress(done, total)` is called after every clip that is rendered.
    Frames as rendered and joints are equal for equal parameters, whatever the
    number of workers; the bytes of the .mp4 files depend on the codec's version.

    Raises:
        InputError: `out` holds something else, or fixtures of other parameters.
        EnvironmentFault: the folder cannot be written, or no mp4v encoder is there.
    """
    if workers < 1:
        raise InputError(f"workers must be at least 1, got {workers}")
    clips = parameters.clips()
    _claim(out, parameters)
    missing = [clip for clip in clips if not _is_complete(out, clip)]
    try:
        for done, _ in enumerate(_render_all(out, missing, parameters.fps, workers), start=1):
            if on_progress is not None:
                on_progress(len(clips) - len(missing) + done, len(clips))
    except OSError as error:
        raise EnvironmentFault(f"cannot write fixtures below {out}: {error}") from error
    num_train = sum(clip.subset == "train" for clip in clips)
    return FixtureSummary(out, num_train, len(clips) - num_train, len(missing))


def clip_stem(root: Path, clip: ClipSpec) -> Path:
    """Where a clip lies, without its suffix: `root/subset/class/number`."""
    return root / clip.subset / clip.label / f"{clip.number:04d}"


def _is_complete(root: Path, clip: ClipSpec) -> bool:
    stem = clip_stem(root, clip)
    return stem.with_suffix(".mp4").is_file() and stem.with_suffix(".npz").is_file()


def _claim(root: Path, parameters: FixtureParameters) -> None:
    """Make the folder ours, or find out that it is."""
    manifest = parameters.manifest()
    path = root / MANIFEST
    if path.is_file():
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(
                f"{path} is not JSON ({error}); remove {root} or choose another"
            ) from error
        if there != manifest:
            raise InputError(
                f"{root} holds fixtures of other parameters; remove it or choose another folder:\n"
                + "\n".join(differences(manifest, there))
            )
        return
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise InputError(
            f"{root} exists and is not a folder of fixtures (it has no {MANIFEST}); "
            "choose a new or an empty folder"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        _write_json(root / MIRRORS, dict(MIRROR_LABELS))
        _write_json(path, manifest)
    except OSError as error:
        raise EnvironmentFault(f"cannot write fixtures below {root}: {error}") from error


def _write_json(path: Path, content: dict[str, Any]) -> None:
    hidden = path.with_name(f".{path.name}.partial")
    hidden.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(hidden, path)  # noqa: PTH105


def _render_all(root: Path, clips: list[ClipSpec], fps: float, workers: int) -> Iterator[None]:
    write = partial(_write_clip, root, fps)
    if workers == 1 or len(clips) < 2:
        yield from map(write, clips)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(workers, len(clips)), mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        yield from pool.map(write, clips, chunksize=4)


def _write_clip(root: Path, fps: float, spec: ClipSpec) -> None:
    """Render one clip and put its two files in place, each whole or not at all."""
    stem = clip_stem(root, spec)
    stem.parent.mkdir(parents=True, exist_ok=True)
    clip = render_clip(spec)
    video = stem.with_name(f".{stem.name}.partial.mp4")
    write_video(video, clip.frames, fps)
    truth = stem.with_name(f".{stem.name}.partial.npz")
    _write_truth(truth, clip, fps)
    os.replace(video, stem.with_suffix(".mp4"))  # noqa: PTH105
    os.replace(truth, stem.with_suffix(".npz"))  # noqa: PTH105


def write_video(
    path: Path, frames: Iterable[np.ndarray[Any, np.dtype[np.uint8]]], fps: float
) -> None:
    """Encode RGB frames (H, W, 3), all of one size, as MPEG-4 part 2 in an .mp4.

    Raises:
        EnvironmentFault: OpenCV cannot write such a file there.
    """
    writer: cv2.VideoWriter | None = None
    for frame in frames:
        if writer is None:
            size = (frame.shape[1], frame.shape[0])
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
            if not writer.isOpened():
                raise EnvironmentFault(
                    f"OpenCV cannot write {path}: check that the folder is writable and that "
                    "this build of OpenCV has FFmpeg"
                )
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    if writer is not None:
        writer.release()
    if not path.is_file() or path.stat().st_size == 0:
        raise EnvironmentFault(f"nothing was written to {path}: is the disk full?")


def _write_truth(path: Path, clip: FixtureClip, fps: float) -> None:
    np.savez_compressed(
        path,
        xy_px=clip.xy_px,
        xyz_m=clip.xyz_m,
        visible=clip.visible,
        box_xyxy_px=clip.box_xyxy_px,
        actor=np.int64(clip.actor),
        fps=np.float64(fps),
        focal_px=np.float64(clip.focal_px),
        principal_xy_px=clip.principal_xy_px,
    )
