"""The clips of a subset that can be trained on or tested, wherever their arrays come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from posemill.errors import InputError
from posemill.schema import TimedBox
from posemill.storage.features import FeatureRow

_SIDES = frozenset({"left", "right"})


@dataclass(frozen=True)
class ClipSet:
    """N clips: what they are called, show, and where they lie in their videos."""

    clip_ids: tuple[str, ...]
    video_ids: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]
    """Every class of each clip; the first one counts as its class."""
    mirror_labels: tuple[int, ...]
    """The class that the flipped clip shows, -1 where none is declared."""
    boxes: tuple[tuple[TimedBox, ...], ...]
    """Of the labelled person, see `schema.Clip`."""
    spans: tuple[tuple[float, float | None], ...]
    """`[start_seconds, end_seconds)` in the video."""
    num_unavailable: int
    """Labelled clips of the subset that cannot be had: their videos are missing or unreadable."""

    def __len__(self) -> int:
        return len(self.clip_ids)

    @classmethod
    def of(cls, rows: Sequence[FeatureRow], num_unavailable: int) -> ClipSet:
        """The clips of these rows, in order."""
        return cls(
            clip_ids=tuple(row.clip_id for row in rows),
            video_ids=tuple(row.video_id for row in rows),
            labels=tuple(row.labels for row in rows),
            mirror_labels=tuple(row.mirror_label for row in rows),
            boxes=tuple(row.boxes for row in rows),
            spans=tuple((row.start_seconds, row.end_seconds) for row in rows),
            num_unavailable=num_unavailable,
        )

    def pick(self, numbers: Iterable[int]) -> ClipSet:
        """The clips of these numbers, in that order."""
        chosen = list(numbers)
        return ClipSet(
            clip_ids=tuple(self.clip_ids[n] for n in chosen),
            video_ids=tuple(self.video_ids[n] for n in chosen),
            labels=tuple(self.labels[n] for n in chosen),
            mirror_labels=tuple(self.mirror_labels[n] for n in chosen),
            boxes=tuple(self.boxes[n] for n in chosen),
            spans=tuple(self.spans[n] for n in chosen),
            num_unavailable=self.num_unavailable,
        )

    def labels_of(self, number: int, *, flipped: bool) -> tuple[int, ...]:
        """The classes of a clip, or of its mirror image, whose declared class takes the first's
        place."""
        first, *others = self.labels[number]
        mirror = self.mirror_labels[number]
        return (mirror if flipped and mirror >= 0 else first, *others)


def select_rows(
    place: str,
    subset: tuple[str, str],
    rows: Sequence[FeatureRow],
    available: Sequence[bool],
    *,
    lacking: str,
) -> ClipSet:
    """The labelled ones of a subset's rows that are available, in order.

    Args:
        place: where they are from, for messages.
        subset: names of the split and of its subset.
        rows: all of the subset.
        available: of each row, whether its arrays can be had.
        lacking: what to say of clips of which none is available.

    Raises:
        InputError: the subset is empty, none of its clips has a label, or none is available.
    """
    name = "/".join(subset)
    if not rows:
        raise InputError(
            f"{place}: {name} is empty; choose a subset with clips, or extract their videos first"
        )
    labelled = [bool(row.labels) for row in rows]
    if not any(labelled):
        raise InputError(
            f"{place}: none of the {len(rows)} clips of {name} has a label; "
            "put the videos into a folder for each class, or index a dataset with labels"
        )
    usable = [both for both in zip(rows, labelled, available, strict=True) if all(both[1:])]
    if not usable:
        raise InputError(f"{place}: none of the {sum(labelled)} labelled clips of {name} {lacking}")
    return ClipSet.of([row for row, _, _ in usable], sum(labelled) - len(usable))


def require_classes(place: str, classes: Sequence[str], clips: ClipSet) -> None:
    """Refuse to train where there is nothing to tell apart.

    Raises:
        InputError: the clips are all of the same class.
    """
    shown = {label for labels in clips.labels for label in labels}
    if len(shown) < 2:
        raise InputError(
            f"{place}: all {len(clips)} clips to train on are of the class "
            f"{', '.join(classes[label] for label in shown)}; give clips of two classes or more"
        )


def names_a_side(class_name: str) -> bool:
    """Whether a class name has the word left or right in it, as in `wave_left` or `WaveLeft`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", class_name)
    return not _SIDES.isdisjoint(re.split(r"[^a-z]+", spaced.lower()))


def check_flip(classes: tuple[str, ...], clips: ClipSet) -> None:
    """Refuse to flip clips whose class names a side and whose mirrored class is not declared.

    Raises:
        InputError: there are such clips; a flip would teach the wrong class.
    """
    undeclared = {
        classes[label]
        for labels, mirror in zip(clips.labels, clips.mirror_labels, strict=True)
        for label in labels[int(mirror >= 0) :]
        if names_a_side(classes[label])
    }
    if undeclared:
        raise InputError(
            f"flip would turn clips of the classes {', '.join(sorted(undeclared))} into their "
            "other side, and their mirror labels are not declared; declare them in "
            "mirror_labels.json when indexing, or train with flip 0"
        )


def check_test_flip(classes: tuple[str, ...], clips: ClipSet) -> None:
    """Refuse to average the scores of clips and of mirror images that are of another class.

    Raises:
        InputError: there are such clips.
    """
    check_flip(classes, clips)
    sided = {
        classes[labels[0]]
        for labels, mirror in zip(clips.labels, clips.mirror_labels, strict=True)
        if mirror >= 0 and mirror != labels[0]
    }
    if sided:
        raise InputError(
            f"the mirror images of the classes {', '.join(sorted(sided))} are of other classes, so "
            "their scores cannot be averaged with those of the clips; test without the flip"
        )
