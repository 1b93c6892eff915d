"""One small source of each pose format, as whoever writes that format would leave it on disk.

A format that is registered needs its line in `MAKERS`: `tests/pipelines/test_imported_store.py`
brings what is written there into a store and treats it as one that was extracted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mat_joints import jhmdb_fields, penn_fields, write_mat
from ntu_files import Body, write_skeleton
from pifpaf_files import person, write_frames, write_video


@dataclass(frozen=True)
class PoseFiles:
    """Writes two videos below a folder, each with somebody in some frame, and tells the rest."""

    write: Callable[[Path], object]
    size_wh: tuple[int, int] | None = None
    """Where the files do not tell it."""
    fps: float | None = None
    """Where the files do not tell it."""
    settings: Mapping[str, str] = field(default_factory=dict)


def _jhmdb(root: Path) -> None:
    for clip in ("wave/one", "wave/two"):
        write_mat(root / clip / "joint_positions.mat", jhmdb_fields())


def _ntu_skeleton(root: Path) -> None:
    write_skeleton(root / "S001C001P001R001A001.skeleton", [[], [Body(), Body(7, 900)], [Body()]])
    write_skeleton(root / "S001C001P001R001A002.skeleton", [[Body()], []])


def _openpifpaf(root: Path) -> None:
    write_video(root / "lines.mp4.openpifpaf.json", [[], [person(10), person(300)], [person(11)]])
    write_frames(root / "frames", [[person(10)], []])


def _penn_action(root: Path) -> None:
    for number in (1, 2):
        write_mat(root / f"{number:04d}.mat", penn_fields())


MAKERS: dict[str, PoseFiles] = {
    "jhmdb": PoseFiles(_jhmdb, fps=30.0),
    "ntu-skeleton": PoseFiles(_ntu_skeleton),
    "openpifpaf": PoseFiles(_openpifpaf, (640, 480), 30.0),
    "penn-action": PoseFiles(_penn_action, fps=30.0),
}
