"""The videos that are there, found by the end of their paths without suffix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from posemill.errors import InputError
from posemill.storage.datasets.tree import FoundVideo, is_video
from posemill.storage.durable import input_faults
from posemill.storage.file_tree import files_below
from posemill.storage.files.location import Location, is_address
from posemill.storage.files.remote import remote_files
from posemill.storage.identity import file_identity


@dataclass(frozen=True, slots=True)
class VideoFiles:
    """All videos below a folder or a prefix of a bucket."""

    root: str
    paths: dict[str, list[PurePosixPath]]
    """By name without suffix, below the root."""
    look: Callable[[PurePosixPath], FoundVideo]
    """What is known of one of them; reads a little of a local file."""

    @classmethod
    def below(cls, root: str) -> VideoFiles:
        """Those below a local folder, or below `s3://bucket/prefix` or `gs://bucket/prefix`.

        Raises:
            InputError: no such folder, or one in it that cannot be looked into.
            EnvironmentFault: the bucket gives no answer.
        """
        if is_address(root):
            return _below_address(root.rstrip("/"))
        folder = Path(root).resolve()
        if not folder.is_dir():
            raise InputError(f"{root}: there is no such folder. Give the folder of the videos.")
        with input_faults(folder):
            return _below_folder(folder, _by_stem(files_below(folder)))

    @classmethod
    def nowhere(cls, root: Path) -> VideoFiles:
        """None, of a folder in which none is looked for."""
        return _below_folder(root.resolve(), {})

    def names(self) -> Collection[str]:
        """Paths of all of them without suffix, sorted."""
        return sorted({str(p.with_suffix("")) for paths in self.paths.values() for p in paths})

    def match(self, expected: Iterable[str]) -> dict[str, PurePosixPath]:
        """The videos that are meant by paths without suffix, of those that are there.

        One is meant by the name at its end; of several of that name it is the one that lies in
        the same folders, by as many of them as any. No file is two videos: it is the one whose
        folders are more alike.

        Raises:
            InputError: nothing tells which one is meant.
        """
        taken: dict[PurePosixPath, tuple[int, str]] = {}
        for path in expected:
            if (found := self._nearest(path)) is None:
                continue
            num_alike, file = found
            before = taken.get(file, (-1, ""))
            if before[0] == num_alike:
                raise InputError(
                    f"{self.root}: {str(file)!r} could be both the video {before[1]!r} and "
                    f"{path!r}. Put the videos into folders as the dataset's makers do."
                )
            taken[file] = max(before, (num_alike, path))
        return {path: file for file, (_, path) in taken.items()}

    def _nearest(self, expected: str) -> tuple[int, PurePosixPath] | None:
        """How many of its folders are alike, and the video."""
        wanted = expected.split("/")
        found = [(_num_alike(path, wanted), path) for path in self.paths.get(wanted[-1], [])]
        if not found:
            return None
        best = [each for each in found if each[0] == max(found)[0]]
        if len(best) > 1:
            raise InputError(
                f"{self.root}: both {str(best[0][1])!r} and {str(best[1][1])!r} could be the video "
                f"{expected!r}. Move all but one of them out of the folder."
            )
        return best[0]


def _below_folder(folder: Path, paths: dict[str, list[PurePosixPath]]) -> VideoFiles:
    def look(path: PurePosixPath) -> FoundVideo:
        file = folder / path
        with input_faults(file):
            return FoundVideo(path, file.stat().st_size, file_identity(file))

    return VideoFiles(str(folder), paths, look)


def _below_address(root: str) -> VideoFiles:
    location = Location.parse(root)
    facts = {PurePosixPath(key): each for key, each in remote_files(location.scheme).list(location)}

    def look(path: PurePosixPath) -> FoundVideo:
        return FoundVideo(path, facts[path].num_bytes or 0, facts[path].identity)

    return VideoFiles(root, _by_stem(facts), look)


def _by_stem(paths: Iterable[PurePosixPath]) -> dict[str, list[PurePosixPath]]:
    by_stem: dict[str, list[PurePosixPath]] = {}
    for path in sorted(filter(is_video, paths)):
        by_stem.setdefault(path.stem, []).append(path)
    return by_stem


def _num_alike(path: PurePosixPath, wanted: list[str]) -> int:
    """Folders at the end, above the name, that are as expected."""
    folders = zip(reversed(path.parts[:-1]), reversed(wanted[:-1]), strict=False)
    num_alike = 0
    for one, other in folders:
        if one != other:
            break
        num_alike += 1
    return num_alike
