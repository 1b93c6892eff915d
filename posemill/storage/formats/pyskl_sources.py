"""Clips of pyskl's pickles as sources: how they are found again, and what all of them share."""

from __future__ import annotations

from pathlib import Path

from posemill.errors import UnreadablePoses
from posemill.storage.file_tree import files_below
from posemill.storage.formats.file_names import part_of
from posemill.storage.formats.pyskl_file import Annotation, read_pyskl_file
from posemill.storage.pickles.values import ArrayPlace
from posemill.transforms.skeletons import SKELETONS, get_skeleton

SUFFIXES = (".pkl", ".pickle")


def pickles_below(root: Path) -> list[Path]:
    """All of a folder, sorted; a file that is given by its name is one, whatever its name."""
    if not root.is_dir():
        return [root]
    return sorted(root / path for path in files_below(root) if path.suffix in SUFFIXES)


def clip_at(uri: str) -> tuple[Path, Annotation]:
    """The file, and the annotation that it has by now.

    Raises:
        UnreadablePoses: it has none of that name, or cannot be looked through.
        OSError: it cannot be read.
    """
    path, name = part_of(uri)
    clip = read_pyskl_file(path).annotations.get(name)
    if clip is None:
        raise UnreadablePoses(f"{path}: has no annotation of {name!r} any more")
    return path, clip


def require_joints(clip: Annotation, skeleton: str, shape: tuple[int, ...], axes: str) -> None:
    """`axes` names them, as `M T V 2`; a number is the length that is expected.

    Raises:
        UnreadablePoses: keypoints of another shape, or of other joints.
    """
    names, joints = axes.split(), get_skeleton(skeleton).num_keypoints
    lengths = [int(name) if name.isdigit() else None for name in names]
    if len(shape) != len(names) or any(
        length not in (None, got) for length, got in zip(lengths, shape, strict=True)
    ):
        raise UnreadablePoses(
            f"{clip.place}: expected keypoint as ({', '.join(names)}), got {shape}"
        )
    if shape[-2] != joints:
        others = [each.name for each in SKELETONS.values() if each.num_keypoints == shape[-2]]
        told = f"; tell them by --set joints={' or '.join(others)}" if others else ""
        raise UnreadablePoses(
            f"{clip.place}: has {shape[-2]} joints a person; expected {joints} of {skeleton}{told}"
        )


def require_array(clip: Annotation, name: str, value: object) -> ArrayPlace:
    """Raises:
    UnreadablePoses: it is no array of numbers.
    """
    if not isinstance(value, ArrayPlace):
        raise UnreadablePoses(f"{clip.place}: expected an array as {name}, got {value!r}")
    return value
