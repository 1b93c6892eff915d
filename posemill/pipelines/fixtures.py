"""Writes a folder of rendered, exactly annotated videos: `posemill fixtures DIR`.

The layout is described in docs/fixtures.md. A folder half written is completed,
a complete one is left alone, one of other parameters is refused. Scripts that
ask for several workers need the usual `if __name__ == "__main__":` guard, since
workers are spawned. Any number of calls may write one folder at a time; a call
that was killed leaves hidden drafts, which nothing reads.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
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
from posemill.pipelines.watchdog import end_with_parent
from posemill.provenance import differences
from posemill.storage.durable import disk_faults, replace_file, temporary_name
from posemill.storage.objects import LocalObjects

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
        EnvironmentFault: the folder cannot be written, no mp4v encoder is there, or a
            worker died.
    """
    if workers < 1:
        raise InputError(f"workers must be at least 1, got {workers}")
    clips = parameters.clips()
    with disk_faults(out):
        _claim(out, parameters)
        missing = [clip for clip in clips if not _is_complete(out, clip)]
        for done, _ in enumerate(_render_all(out, missing, parameters.fps, workers), start=1):
            if on_progress is not None:
                on_progress(len(clips) - len(missing) + done, len(clips))
    num_train = sum(clip.subset == "train" for clip in clips)
    return FixtureSummary(out, num_train, len(clips) - num_train, len(missing))


def clip_stem(root: Path, clip: ClipSpec) -> Path:
    """Where a clip lies, without its suffix: `root/subset/class/number`."""
    return root / clip.subset / clip.label / f"{clip.number:04d}"


def _is_complete(root: Path, clip: ClipSpec) -> bool:
    stem = clip_stem(root, clip)
    return stem.with_suffix(".mp4").is_file() and stem.with_suffix(".npz").is_file()


def _claim(root: Path, parameters: FixtureParameters) -> None:
    """Make the folder ours, or find out that it is.

    The manifest comes first and is never replaced: what else is found there
    without it is somebody else's, and of two calls that differ one is refused.
    """
    if root.exists() and not root.is_dir():
        raise InputError(f"{root} is not a folder of fixtures; choose a new or an empty folder")
    root.mkdir(parents=True, exist_ok=True)
    manifest, mirrors = root / MANIFEST, root / MIRRORS
    # Listed before the look at the manifest: another call may write it in between.
    strangers = [path for path in root.iterdir() if not path.name.startswith(f".{MANIFEST}.")]
    if not manifest.is_file():
        if strangers:
            raise InputError(
                f"{root} exists and is not a folder of fixtures (it has no {MANIFEST}); "
                "choose a new or an empty folder"
            )
        LocalObjects(root).create_if_absent(MANIFEST, _json_bytes(parameters.manifest()))
    _check_manifest(manifest, parameters)
    if not mirrors.is_file():
        replace_file(mirrors, _json_bytes(dict(MIRROR_LABELS)))


def _check_manifest(path: Path, parameters: FixtureParameters) -> None:
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            f"{path} is not JSON ({error}); remove {path.parent} or choose another"
        ) from error
    if not isinstance(there, dict):
        raise InputError(
            f"{path} must hold a JSON object, got {there!r}; remove {path.parent} or choose another"
        )
    if lines := differences(parameters.manifest(), there):
        raise InputError(
            f"{path.parent} holds fixtures of other parameters; remove it or choose another "
            "folder:\n" + "\n".join(lines)
        )


def _json_bytes(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()


def _render_all(root: Path, clips: list[ClipSpec], fps: float, workers: int) -> Iterator[None]:
    write = partial(_write_clip, root, fps)
    if workers == 1 or len(clips) < 2:
        yield from map(write, clips)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(workers, len(clips)), mp_context=context, initializer=_start_worker
    ) as pool:
        try:
            yield from pool.map(write, clips, chunksize=4)
        except BrokenProcessPool as error:
            raise EnvironmentFault(
                f"a worker process that rendered fixtures below {root} died, perhaps for want of "
                "memory; run the same command again, with --workers 1 if it dies again: what was "
                "rendered is kept"
            ) from error


def _start_worker() -> None:
    end_with_parent()
    cv2.setNumThreads(1)


def _write_clip(root: Path, fps: float, spec: ClipSpec) -> None:
    """Render one clip and put its two files in place, each whole or not at all."""
    stem = clip_stem(root, spec)
    stem.parent.mkdir(parents=True, exist_ok=True)
    clip = render_clip(spec)
    draft = temporary_name(stem).name
    # The suffixes decide the format, so they come last.
    video, truth = stem.with_name(f"{draft}.mp4"), stem.with_name(f"{draft}.npz")
    try:
        write_video(video, clip.frames, fps)
        _write_truth(truth, clip, fps)
        video.replace(stem.with_suffix(".mp4"))
        truth.replace(stem.with_suffix(".npz"))
    finally:
        video.unlink(missing_ok=True)
        truth.unlink(missing_ok=True)


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
