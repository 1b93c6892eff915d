"""Any dataset as a pickle of pyskl's or mmaction2's, whose poses `posemill import pyskl` brings.

The pickle is walked as by the import, see `formats.pyskl_file`, and its arrays are passed over.
Names of splits are those of pyskl's files: `train` and `val`, `xsub_train`, `test1`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.errors import InputError, UnreadablePoses
from posemill.schema import Clip, TimedLabel
from posemill.storage.datasets.annotation_files import files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.text_rows import read_lines
from posemill.storage.datasets.tree import SPLIT
from posemill.storage.formats.pyskl_file import Annotation, read_pyskl_file
from posemill.storage.formats.pyskl_sources import SUFFIXES

_SPLIT = re.compile(r"(?:(?P<split>.+)_)?(?P<subset>train|val|test)(?P<number>[0-9]*)")
_MAX_CLASSES = 100_000


@dataclass(frozen=True)
class PysklDataset(Dataset):
    """Pickles of one dataset, and the names of its classes."""

    name: ClassVar[str] = "pyskl"
    title: ClassVar[str] = "a dataset as a pickle of pyskl or mmaction2"
    files: ClassVar[str] = (
        "a pickle, or several; then, where classes shall have names, a file of a name a line, of "
        "class 0, 1, 2 ...:\n"
        '  {"split": {"xsub_train": [NAME, ...], "xsub_val": [NAME, ...]},\n'
        '   "annotations": [{"frame_dir": NAME, "label": 7, ...}, ...]}\n'
        "videos: [FOLDER/]NAME.mp4, where there are any"
    )

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        files = files_of(annotations, *(f"*{suffix}" for suffix in SUFFIXES))
        pickles = [path for path in files if path.suffix in SUFFIXES]
        classes = self._class_names([path for path in files if path not in pickles])
        found, splits = dict[str, Annotation](), dict[str, dict[str, str]]()
        for path in pickles:
            _add(path, found, splits)
        num_absent = len(splits.keys() - found.keys())
        labels = {name: _labels(clip, classes) for name, clip in found.items()}
        return Annotations(
            videos=[ListedVideo(name, name) for name in found],
            clips=[
                Clip(
                    id=name,
                    video_id=name,
                    labels=tuple(TimedLabel(_named(label, classes)) for label in labels[name]),
                    splits=splits.get(name, {}),
                )
                for name in found
            ],
            classes=classes or _numbers(labels.values()),
            left_out={"names in splits without an annotation": num_absent} if num_absent else {},
        )

    def _class_names(self, files: Sequence[Path]) -> list[str]:
        """In the order of their numbers; none where no file tells them.

        Raises:
            InputError: there are several files, or a name twice.
        """
        if len(files) > 1:
            raise InputError(
                f"{', '.join(map(str, files))}: expected one file of the classes' names beside "
                f"pickles, whose names end in {' or '.join(SUFFIXES)}"
            )
        names: dict[str, int] = {}
        for path in files:
            for line, text in read_lines(path, self.encoding):
                if names.setdefault(text, line) != line:
                    raise InputError(
                        f"{path}, line {line}: the class {text!r} is in line {names[text]}, too"
                    )
        return list(names)


def _add(path: Path, found: dict[str, Annotation], splits: dict[str, dict[str, str]]) -> None:
    """Raises:
    InputError: it cannot be looked through, or has a clip of another file.
    """
    try:
        content = read_pyskl_file(path)
    except UnreadablePoses as error:
        raise InputError(f"{error}. Correct the file, or give another one.") from error
    for name, clip in content.annotations.items():
        if name in found:
            raise InputError(f"{clip.place}: is there, too, as {found[name].place}")
        found[name] = clip
    for key, names in content.splits.items():
        split, subset = split_of(key)
        for name in names:
            before = splits.setdefault(name, {}).setdefault(split, subset)
            if before != subset:
                raise InputError(
                    f"{path}: the clip {name!r} is in {before!r} and in {subset!r} of the split "
                    f"{split!r}. Take it out of one of the lists."
                )


def split_of(key: str) -> tuple[str, str]:
    """Split and subset of a list of clips: `xsub_val` is `val` of `xsub`, `test1` of `split1`.

    A list of another name is the subset `in` of a split of its own.
    """
    match = _SPLIT.fullmatch(key)
    if match is None:
        return key, "in"
    number = f"split{match['number']}" if match["number"] else ""
    return "_".join(filter(None, (match["split"], number))) or SPLIT, match["subset"]


def _labels(clip: Annotation, classes: Sequence[str]) -> tuple[int, ...]:
    """Numbers of a clip's classes, of which it may have several or none.

    Raises:
        InputError: they are no numbers of classes.
    """
    label = clip.label
    numbers = () if label is None else label if isinstance(label, tuple) else (label,)
    most = len(classes) or _MAX_CLASSES
    for number in numbers:
        if type(number) is not int or not 0 <= number < most:
            raise InputError(
                f"{clip.place}: the label is {label!r}; expected numbers from 0 to {most - 1}"
                + (", of the classes whose names are given" if classes else "")
            )
    return numbers


def _named(label: int, classes: Sequence[str]) -> str:
    return classes[label] if classes else str(label)


def _numbers(labels: Iterable[tuple[int, ...]]) -> list[str]:
    """A class for each number up to the highest, so that a class's place is its number."""
    highest = max((max(numbers, default=-1) for numbers in labels), default=-1)
    return [str(number) for number in range(highest + 1)]
