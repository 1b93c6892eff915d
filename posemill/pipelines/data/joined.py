"""Several cubes of the same clips read together: PA3D's modalities, for one network over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.data.clips import ClipSet
from posemill.pipelines.data.source_base import ClipSource
from posemill.provenance import content_hash
from posemill.schema import Skeleton
from posemill.settings import as_text
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import Recipe
from posemill.transforms.recipes.canvas import VALID_HW
from posemill.transforms.recipes.specs import FRAME_INDEX
from posemill.transforms.recipes.tempposeconv import CubeRecipe
from posemill.transforms.seeding import equal_generators

JOINED = "joined"
"""Key of a joined configuration, of those of its parts."""
_SHARED = ("draw", "length", "span", "canvas_hw")
"""Settings that say which frames and windows a view shows."""
_DETAILS = ("video", "class", "mirrored class", "box", "span")
_NAMED = 3


@dataclass(frozen=True)
class JoinedSource:
    """The clips of several sources, which must be the same; satisfies `ClipSource`.

    A clip has the cube of each part, and `valid_hw`. What is drawn at random is
    drawn alike for all parts: equal frames, and equal joints lost. Each part
    holds what it reads in memory by itself.
    """

    parts: tuple[ClipSource, ...]
    """Two or more, in the order of their recipes' names."""

    @classmethod
    def of(cls, parts: Sequence[ClipSource]) -> JoinedSource:
        """Sources of PA3D's recipes, of each one at most.

        Raises:
            InputError: others, or parts that do not show the same frames and pixels.
        """
        ordered = tuple(sorted(parts, key=lambda part: part.recipe.name))
        for part in ordered:
            if not isinstance(part.recipe, CubeRecipe):
                raise InputError(
                    f"{part.url}: only recipes tempposeconv-* can be joined, got "
                    f"{part.recipe.name}; train on it alone, and fuse the scores of several runs"
                )
        names = [part.recipe.name for part in ordered]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(
                f"the recipe {', '.join(twice)} is given more than once; join different recipes"
            )
        for part in ordered[1:]:
            _require_alike(ordered[0], part)
        return cls(ordered)

    @property
    def url(self) -> str:
        return " and ".join(dict.fromkeys(part.url for part in self.parts))

    @property
    def classes(self) -> tuple[str, ...]:
        return self.parts[0].classes

    @property
    def skeleton(self) -> Skeleton:
        return self.parts[0].skeleton

    @property
    def recipe(self) -> Recipe:
        """Of the first part; those of all draw the same views."""
        return self.parts[0].recipe

    @property
    def specs(self) -> tuple[OutputSpec, ...]:
        return (*(_cube_of(part) for part in self.parts), VALID_HW)

    @property
    def configuration(self) -> Mapping[str, Any]:
        return {JOINED: [dict(part.configuration) for part in self.parts]}

    @property
    def configuration_hash(self) -> str:
        return content_hash(self.configuration)

    @property
    def start_method(self) -> str | None:
        return next((each.start_method for each in self.parts if each.start_method), None)

    def select(self, split: str, subset: str) -> ClipSet:
        first, *others = selected = [part.select(split, subset) for part in self.parts]
        for part, clips in zip(self.parts[1:], others, strict=True):
            _require_same_clips(f"{split}/{subset}", (self.parts[0], first), (part, clips))
        return replace(first, num_unavailable=max(clips.num_unavailable for clips in selected))

    def holding(self, clips: ClipSet) -> Self:
        return replace(self, parts=tuple(part.holding(clips) for part in self.parts))

    def dropping(self, probability: float) -> Self:
        return replace(self, parts=tuple(part.dropping(probability) for part in self.parts))

    def read(
        self, clips: ClipSet, number: int, rng: np.random.Generator
    ) -> dict[str, npt.NDArray[Any]]:
        generators = equal_generators(rng, len(self.parts))
        read = [
            part.read(clips, number, generator)
            for part, generator in zip(self.parts, generators, strict=True)
        ]
        self._require_same_frames(clips.clip_ids[number], read)
        cubes = [_cube_of(part).name for part in self.parts]
        arrays = {name: each[name] for name, each in zip(cubes, read, strict=True)}
        return {**arrays, VALID_HW.name: read[0][VALID_HW.name]}

    def _require_same_frames(
        self, clip_id: str, read: Sequence[Mapping[str, npt.NDArray[Any]]]
    ) -> None:
        """Raises:
        InputError: the parts' arrays of a clip are of other frames, or of another frame size.
        """
        shown = [
            (_last_frames(part.recipe, each[FRAME_INDEX]), each[VALID_HW.name].tolist())
            for part, each in zip(self.parts, read, strict=True)
        ]
        for part, (frames, valid_hw) in zip(self.parts[1:], shown[1:], strict=True):
            if (frames, valid_hw) != shown[0]:
                raise InputError(
                    f"clip {clip_id} has {_told(self.parts[0])} of other frames, or of frames of "
                    f"another shape, than {_told(part)}; render both from the same videos' poses"
                )


def parts_of(source: ClipSource) -> tuple[ClipSource, ...]:
    """The sources that are joined in `source`, or itself alone."""
    return source.parts if isinstance(source, JoinedSource) else (source,)


def _cube_of(part: ClipSource) -> OutputSpec:
    return part.specs[0]


def _told(part: ClipSource) -> str:
    return f"{_cube_of(part).name} ({part.url})"


def _last_frames(recipe: Recipe, frame_index: npt.NDArray[Any]) -> list[Any]:
    """The last frame of each clip, which a cube has whether it is of frames or of differences."""
    num_clips = recipe.num_clips if isinstance(recipe, CubeRecipe) else 1
    last: list[Any] = frame_index.reshape(num_clips, -1)[:, -1].tolist()
    return last


def _require_alike(first: ClipSource, other: ClipSource) -> None:
    """Raises:
    InputError: views of the two would show other frames, other pixels or other classes.
    """
    ours, theirs = _decisive(first), _decisive(other)
    unlike = [f"{key} {ours[key]} and {theirs[key]}" for key in ours if ours[key] != theirs[key]]
    if unlike:
        raise InputError(
            f"{_told(first)} and {_told(other)} cannot be joined: {', '.join(unlike)}; render them "
            "alike, from poses of the same skeleton"
        )
    if first.classes != other.classes:
        alone = len(set(first.classes) - set(other.classes))
        raise InputError(
            f"{_told(first)} and {_told(other)} cannot be joined: they have {len(first.classes)} "
            f"and {len(other.classes)} classes, {alone} of the first not among the second's, or "
            "in another order; materialize both with the same catalog"
        )


def _decisive(part: ClipSource) -> dict[str, str]:
    settings = {key: as_text(getattr(part.recipe, key)) for key in _SHARED}
    return {"skeleton": part.skeleton.name, **settings}


def _require_same_clips(
    subset: str, first: tuple[ClipSource, ClipSet], other: tuple[ClipSource, ClipSet]
) -> None:
    """Raises:
    InputError: the two have other clips, or tell of a clip otherwise.
    """
    ours, theirs = (_details(clips) for _, clips in (first, other))
    refused = f"{_told(first[0])} and {_told(other[0])} cannot be joined on {subset}: "
    alone = sorted(ours.keys() ^ theirs.keys())
    if alone:
        raise InputError(
            f"{refused}they have {len(ours)} and {len(theirs)} clips there, and {len(alone)} are "
            f"in one of them alone, as {_some(alone)}; materialize both from the same poses and "
            "catalog"
        )
    for number, detail in enumerate(_DETAILS):
        unlike = [clip_id for clip_id in ours if ours[clip_id][number] != theirs[clip_id][number]]
        if unlike:
            raise InputError(
                f"{refused}{len(unlike)} of {len(ours)} clips have another {detail} in one than in "
                f"the other, as {_some(unlike)}; materialize both with the same catalog"
            )


def _details(clips: ClipSet) -> dict[str, tuple[Any, ...]]:
    """What `_DETAILS` names, by clip."""
    told = zip(
        clips.video_ids, clips.labels, clips.mirror_labels, clips.boxes, clips.spans, strict=True
    )
    return dict(zip(clips.clip_ids, told, strict=True))


def _some(clip_ids: Sequence[str]) -> str:
    return ", ".join(clip_ids[:_NAMED])
