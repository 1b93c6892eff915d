"""The weights by which a run's network looked, as pictures: a sheet for each clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.data import ClipSet, ClipSource, Views, create_views, view_specs
from posemill.pipelines.drawing import PAPER, blank, file_name, write_png, write_text
from posemill.pipelines.evaluate import EvaluateConfig, check_source, trained_config
from posemill.pipelines.evaluations import Attention, read_answers, read_attention
from posemill.pipelines.preview.attention_sections import DRAWN, WIDTH_PX, sections
from posemill.pipelines.preview.attention_views import SeenView
from posemill.pipelines.preview.sheets import spread
from posemill.pipelines.runs import open_run
from posemill.pipelines.training.clips import open_clip_source
from posemill.predictions import Predictions
from posemill.schema import UInt8
from posemill.storage.objects import Place
from posemill.transforms.seeding import clip_generator

_VIEWS = 3
_TITLE_PX = 32


@dataclass(frozen=True, slots=True)
class _Shown:
    """What an evaluation kept, and where the clips are that it was of."""

    run: str
    attention: Attention
    answers: Predictions
    source: ClipSource
    clips: ClipSet
    views: Views
    seed: int

    @property
    def flip(self) -> bool:
        """Whether the mirror images follow the views."""
        return self.answers.made_with.get("flip") == "true"


def preview_attention(
    run_dir: Path,
    store: Place,
    out_dir: Path,
    *,
    subset: str = "test",
    limit: int = 24,
    catalog: Path | None = None,
) -> list[Path]:
    """PNGs of the first `limit` clips that were evaluated with `attention`, of up to three of
    their views.

    Args:
        store: what the run was evaluated on: features, or poses, which are rendered again.
        catalog: as for `evaluate`.

    Raises:
        InputError: no run or store, no weights of the subset, none that can be drawn, or they
            are of other clips or views than the store's.
        ConfigurationMismatch: the store differs from what was trained on.
        StoreCorrupted: damaged weights, answers or features.
        EnvironmentFault: the pictures cannot be written.
    """
    if limit < 1:
        raise InputError(f"a preview needs at least 1 clip, got {limit}")
    shown = _open(run_dir, store, subset, catalog)
    numbers = _numbers_in_store(shown, limit)
    return [
        write_png(out_dir / file_name(clip_id, ".png"), _sheet(shown, row, number))
        for row, (clip_id, number) in enumerate(numbers.items())
    ]


def _open(run_dir: Path, store: Place, subset: str, catalog: Path | None) -> _Shown:
    run = open_run(run_dir)
    attention = read_attention(run_dir, subset)
    _require_drawable(run_dir, attention)
    answers = read_answers(run_dir, subset)
    if answers.clip_ids != attention.clip_ids:
        raise InputError(
            f"{run_dir}: its answers and its weights for the subset {subset!r} are of other clips; "
            "evaluate with --attention again"
        )
    trained = trained_config(run, EvaluateConfig())
    source = open_clip_source((store,), trained, catalog, testing=True)
    check_source(run, source)
    return _Shown(
        run=str(run_dir),
        attention=attention,
        answers=answers,
        source=source,
        clips=source.select(answers.split, subset),
        views=create_views(source, trained.augmentation),
        seed=trained.seed,
    )


def _require_drawable(run_dir: Path, attention: Attention) -> None:
    if not set(DRAWN) & set(attention.weights):
        raise InputError(
            f"{run_dir} has the weights {', '.join(attention.weights)}, of which there are no "
            f"pictures; there are of {', '.join(DRAWN)}"
        )


def _numbers_in_store(shown: _Shown, limit: int) -> dict[str, int]:
    """Ids of the first clips with weights, and their numbers in the store."""
    numbers = {clip_id: number for number, clip_id in enumerate(shown.clips.clip_ids)}
    wanted = shown.attention.clip_ids[:limit]
    lacking = [clip_id for clip_id in wanted if clip_id not in numbers]
    if lacking:
        raise InputError(
            f"{shown.source.url} lacks {len(lacking)} of the {len(wanted)} clips that {shown.run} "
            f"has weights of, such as {lacking[0]}; give the store that it was evaluated on"
            f"{_evaluated_on(shown.answers)}"
        )
    return {clip_id: numbers[clip_id] for clip_id in wanted}


def _sheet(shown: _Shown, row: int, number: int) -> UInt8:
    """Of the clip that is `row` among the weights and `number` in the store."""
    seen = _seen_views(shown, number)
    looks = {name: weights[row] for name, weights in shown.attention.weights.items()}
    parts = [_line(_title(shown, row), 0.55)]
    for view in spread(len(seen), _VIEWS):
        if len(seen) > 1:
            parts.append(_line(f"view {view + 1} of {len(seen)}", 0.5))
        of_view = {name: weights[view] for name, weights in looks.items()}
        parts += [section.drawn() for section in sections(of_view, seen[view])]
    return np.concatenate(parts)


def _seen_views(shown: _Shown, number: int) -> Sequence[SeenView]:
    """The test views of a clip, as many and in the same order as its weights."""
    rng = clip_generator(shown.seed, shown.clips.clip_ids[number])
    arrays = shown.source.read(shown.clips, number, rng)
    views: Mapping[str, npt.NDArray[Any]] = shown.views.test(arrays, flip=shown.flip)
    num_views, wanted = len(next(iter(views.values()))), shown.attention.num_views
    if num_views != wanted:
        raise InputError(
            f"{shown.source.url} has {num_views} views of a clip, and {shown.run} has weights of "
            f"{wanted}; give the store that it was evaluated on{_evaluated_on(shown.answers)}"
        )
    specs, skeleton = view_specs(shown.source), shown.source.skeleton
    return [
        SeenView({name: array[view] for name, array in views.items()}, specs, skeleton)
        for view in range(num_views)
    ]


def _evaluated_on(answers: Predictions) -> str:
    store = answers.made_with.get("store")
    return f": {store}" if store else ""


def _title(shown: _Shown, row: int) -> str:
    answers = shown.answers
    classes = " and ".join(answers.classes[label] for label in answers.labels[row])
    best = int(answers.probabilities[row].argmax())
    told = f"answer: {answers.classes[best]} ({answers.probabilities[row, best]:.2f})"
    judged = "right" if best in answers.labels[row] else "wrong"
    empty = ", nobody was found" if answers.empty[row] else ""
    return (
        f"{answers.clip_ids[row]}: {classes or 'no class'}; {told}, {judged}{empty}; model: "
        f"{answers.model}"
    )


def _line(text: str, scale: float) -> UInt8:
    strip = blank(_TITLE_PX, WIDTH_PX, PAPER)
    write_text(strip, text, (8, _TITLE_PX - 10), WIDTH_PX - 16, scale)
    return strip
