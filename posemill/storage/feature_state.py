"""Which features are as they were committed: told by a listing and each shard's `valid` objects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numcodecs import zstd  # type: ignore[import-untyped]

from posemill.storage.commits import RecordName, file_problems, record_bytes, size_problems
from posemill.storage.feature_records import FeatureCommit, Unmade
from posemill.storage.objects import Objects

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FeatureState:
    """What a store's commits tell of its rows, and how far that holds."""

    commits: Mapping[int, FeatureCommit]
    """The latest of each pose shard whose features are there."""
    problems: Mapping[int, Mapping[str, str]]
    """Pose shard to its objects that are not as they were committed, and what is wrong."""
    valid: Mapping[int, Bools]
    """Pose shard without problems to which of its rows `[start, stop)` hold features."""
    settled: tuple[str, ...] = ()
    """Signs of attempts whose rows were compared to the last byte, and are as committed."""

    @property
    def num_valid(self) -> int:
        """Rows that hold features, where all is as it was committed."""
        return sum(int(np.count_nonzero(rows)) for rows in self.valid.values())

    @property
    def unmade(self) -> Mapping[str, Unmade]:
        """By the clip's id: what other files of videos would make valid."""
        return {
            clip_id: told
            for commit in self.commits.values()
            for clip_id, told in commit.unmade.items()
        }

    def is_made(self, pose_shard: int, pose_marker_sha256: str) -> bool:
        """Whether its features are there, of this state of the poses, and as committed."""
        commit = self.commits.get(pose_shard)
        return (
            commit is not None
            and commit.is_of(pose_marker_sha256)
            and pose_shard not in self.problems
        )

    def has_settled(self, attempt: RecordName) -> bool:
        """Whether the shard is as it was committed, by that attempt's generation or later."""
        commit = self.commits.get(attempt.shard_id)
        return commit is not None and attempt <= commit.record and attempt.shard_id in self.valid


def read_state(
    objects: Objects,
    commits: Mapping[int, FeatureCommit],
    sizes: Mapping[str, int | None] | Mapping[str, int],
    suspects: Collection[int] = (),
) -> FeatureState:
    """Compare the sizes of all objects, `valid` to the byte, and of `suspects` every byte.

    Raises:
        OSError: something cannot be read.
    """
    problems = {shard: size_problems(sizes, commit.files) for shard, commit in commits.items()}
    found = _read_valid(objects, commits, problems)
    for shard, contents in found.items():
        files = commits[shard].files
        for name, data in contents.items():
            if record_bytes(data) != files[name]:
                problems[shard][name] = "is not as it was committed"
    for shard in set(suspects) & commits.keys():
        if not problems[shard]:
            problems[shard] = file_problems(objects, commits[shard].files, content=True)
    whole = [shard for shard in commits if not problems[shard]]
    return FeatureState(
        commits=commits,
        problems={shard: each for shard, each in problems.items() if each},
        valid={shard: _decode(list(found[shard].values())) for shard in whole},
    )


def _read_valid(
    objects: Objects,
    commits: Mapping[int, FeatureCommit],
    problems: Mapping[int, Mapping[str, str]],
) -> dict[int, dict[str, bytes]]:
    """The `valid` objects of each pose shard, in the order of its rows; all at once."""
    names = {
        shard: [name for name in commit.valid_objects() if name not in problems[shard]]
        for shard, commit in commits.items()
    }
    data = objects.read_all(name for each in names.values() for name in each)
    return {shard: {name: data[name] for name in each} for shard, each in names.items()}


def _decode(objects: list[bytes]) -> Bools:
    if not objects:
        return np.zeros(0, np.bool_)
    return np.concatenate([np.frombuffer(zstd.decompress(data), np.bool_) for data in objects])
