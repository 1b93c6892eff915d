"""Poses to features: plans, resumes and sums up; `materialize_shard` does the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from pathlib import Path
from secrets import randbits
from time import monotonic
from typing import Any

import numpy as np

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions, RunReport
from posemill.pipelines.events import Event, StageEnded, StageStarted
from posemill.pipelines.materialize_plan import (
    MaterializePlan,
    bytes_per_clip,
    make_plan,
    num_absent_videos,
)
from posemill.pipelines.materialize_rows import missing_rows
from posemill.pipelines.materialize_shard import PictureSource
from posemill.pipelines.pictures import PictureSettings
from posemill.pipelines.plan import begin_order
from posemill.pipelines.pose_catalog import catalog_path
from posemill.pipelines.quarantine_limit import DEFAULT_SHARE, QuarantineLimit
from posemill.pipelines.render_inputs import STAGE, RenderInputs, read_render_inputs
from posemill.pipelines.tasks import ShardOutcome, ShardTask, WorkerSpec
from posemill.storage.feature_state import FeatureState
from posemill.storage.features import (
    CLIPS_PER_SHARD,
    FeatureRow,
    FeatureStore,
    clips_per_block,
)
from posemill.storage.objects import Place, absolute_place
from posemill.storage.store_root import is_absent
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import Recipe, create_recipe

MAX_CLIP_BYTES = 2 * 2**30
"""Of one clip's arrays: what a worker holds, twice over, while it renders."""
_REMEDY = "Mend the cause and run the same command again"
_ROUNDS = 5
"""In which shards are rendered again that other runs changed or were killed over."""


@dataclass(frozen=True, slots=True)
class MaterializeConfig:
    """Which features to render, from which poses."""

    poses: Place
    out: Place
    recipe: str
    settings: tuple[str, ...] = ()
    """`key=value` settings of the recipe."""
    catalog: Path | None = None
    """Clips and labels; None takes the catalog that the poses were made from."""
    seed: int = 0
    engine: str = "local"
    engine_options: EngineOptions = field(default_factory=EngineOptions)
    pictures: PictureSettings = field(default_factory=PictureSettings)
    """How videos are decoded, for recipes that read their frames."""
    max_quarantined: float = DEFAULT_SHARE
    """The share of the clips tried whose videos may be unusable before the job stops."""


@dataclass(frozen=True, slots=True)
class MaterializeSummary:
    """What a feature store holds after a run, and what the run did."""

    num_valid: int
    num_rendered: int
    num_lost: int
    """Rendered here, too, while another run did them and was first to commit them."""
    seconds: float
    shapes: Mapping[str, tuple[int, ...]]
    """Of one clip, by the name of the output."""
    unmade: Mapping[str, str]
    """Id of each clip whose video's frames could not be had to why."""
    plan: MaterializePlan

    def as_dict(self) -> dict[str, Any]:
        return {
            "clips": self.plan.num_clips,
            "valid": self.num_valid,
            "without_frames": len(self.unmade),
            "rendered_now": self.num_rendered,
            "rendered_twice": self.num_lost,
            "shards_not_extracted": self.plan.num_shards_not_extracted,
            "clips_without_video": self.plan.num_clips_without_video,
            "seconds": round(self.seconds, 2),
            "shapes": {name: list(shape) for name, shape in self.shapes.items()},
            "not_made": dict(self.unmade),
        }


def materialize(config: MaterializeConfig, on_event: Callable[[Event], None]) -> MaterializeSummary:
    """Render every extracted clip that the feature store does not hold yet.

    A shard whose poses were committed anew is rendered anew, and so is one of which a clip's
    frames could not be had, when its video is another file than then. Two runs on one store
    at once share the shards, as those of `extract` do.

    Raises:
        InputError: the poses, the catalog, the recipe or the output cannot be used.
        EnvironmentFault: shards failed, or the videos of too many clips are not as they were;
            what was committed stays.
    """
    started = monotonic()
    engine = create_engine(config.engine, config.engine_options)
    inputs = _read_inputs(config)
    store = FeatureStore.open_or_create(
        config.out,
        inputs.specs,
        inputs.configuration,
        inputs.catalog.classes,
        clips_per_shard=_clips_per_shard(inputs),
    )
    while True:  # another driver may add rows at the same time
        rows = [row for row in store.rows() if row is not None]
        if store.add_rows(missing_rows(inputs.catalog, inputs.commits, rows)):
            break
    rows = [row for row in store.rows() if row is not None]
    plan = make_plan(inputs, rows, _look_after(store))
    spec = _worker(config, inputs)
    limited = QuarantineLimit(config.max_quarantined, on_event, "clips", _REMEDY)

    def render(tasks: Sequence[ShardTask]) -> RunReport:
        report = engine.run(begin_order(tasks, randbits(64)), spec, limited, store.mailbox)
        report.require_success(STAGE)
        return report

    on_event(StageStarted(STAGE, len(plan.pending), plan.num_clips_to_do))
    try:
        reports, state = _render_until_whole(
            render, store, plan.pending, partial(make_plan, inputs, rows)
        )
    finally:
        on_event(StageEnded(STAGE, monotonic() - started))
    return MaterializeSummary(
        num_valid=state.num_valid,
        num_rendered=sum(report.num_items(ShardOutcome.COMMITTED) for report in reports),
        num_lost=sum(report.num_items(ShardOutcome.LOST_RACE) for report in reports),
        seconds=monotonic() - started,
        shapes={spec.name: spec.shape for spec in inputs.specs},
        unmade={clip_id: each.message for clip_id, each in state.unmade.items()},
        plan=plan,
    )


def _worker(config: MaterializeConfig, inputs: RenderInputs) -> WorkerSpec:
    """How to build a worker that renders shards, wherever it stands."""
    source = None
    if "frames" in inputs.recipe.requires:
        source = PictureSource(catalog_path(inputs.poses, config.catalog), config.pictures)
    return WorkerSpec(
        "posemill.pipelines.materialize_shard:MaterializeWorker",
        {
            "poses": absolute_place(config.poses),
            "out": absolute_place(config.out),
            "recipe": inputs.recipe,
            "seed": config.seed,
            "source": source,
        },
    )


def _render_until_whole(
    render: Callable[[Sequence[ShardTask]], RunReport],
    store: FeatureStore,
    tasks: Sequence[ShardTask],
    plan_again: Callable[[FeatureState], MaterializePlan],
) -> tuple[list[RunReport], FeatureState]:
    """Render, then what other runs were killed over or have changed meanwhile.

    Raises:
        EnvironmentFault: shards failed, or others never cease to change them.
    """
    reports = []
    for _ in range(_ROUNDS):
        reports.append(render(tasks))
        state = _look_after(store)
        tasks = [
            task
            for task in (plan_again(state).pending if state.problems else ())
            if task.shard_id in state.problems
        ]
        if not tasks:
            return reports, state
    raise EnvironmentFault(
        f"{store.url}: other runs change the features of {len(tasks)} pose shards over and over; "
        "run the same command again when they are done"
    )


def _look_after(store: FeatureStore) -> FeatureState:
    """Which features are whole; for each killed attempt its shard is compared once."""
    state = store.inspect(suspects=True)
    store.forget_attempts(state)
    return state


def plan_materialize(config: MaterializeConfig) -> MaterializePlan:
    """What `materialize` would do; writes nothing.

    Raises:
        InputError: as `materialize` would.
    """
    create_engine(config.engine, config.engine_options)  # refuses what it does not know
    inputs = _read_inputs(config)
    if is_absent(config.out):
        return _looked(inputs, missing_rows(inputs.catalog, inputs.commits, []), None)
    store = FeatureStore.open(config.out)
    store.require_configuration(inputs.specs, inputs.configuration, inputs.catalog.classes)
    rows = [row for row in store.rows() if row is not None]
    more = missing_rows(inputs.catalog, inputs.commits, rows)
    return _looked(inputs, [*rows, *more], store.inspect(suspects=True))


def _looked(
    inputs: RenderInputs, rows: Sequence[FeatureRow], state: FeatureState | None
) -> MaterializePlan:
    """The plan, and how many videos are not there that a run would decode."""
    plan = make_plan(inputs, rows, state)
    if "frames" not in inputs.recipe.requires:
        return plan
    return replace(plan, num_absent_videos=num_absent_videos(inputs, plan, rows))


def _read_inputs(config: MaterializeConfig) -> RenderInputs:
    recipe = create_recipe(config.recipe, parse_assignments(config.settings))
    if recipe.draws_anew:
        raise InputError(
            f"recipe {recipe.name} with draw=train gives another random view at every call, and a "
            "store would freeze one of them; set draw=cache, from which views are drawn at load, "
            "or draw=test"
        )
    inputs = read_render_inputs(config.poses, recipe, config.catalog, config.seed, with_videos=True)
    _check_size(recipe, inputs.specs)
    return inputs


def _check_size(recipe: Recipe, specs: Sequence[OutputSpec]) -> None:
    """Raises:
    InputError: a clip that a worker's memory would not hold.
    """
    if bytes_per_clip(specs) > MAX_CLIP_BYTES:
        greatest = max(specs, key=lambda spec: prod(spec.shape) * np.dtype(spec.dtype).itemsize)
        raise InputError(
            f"recipe {recipe.name}: a clip would take {bytes_per_clip(specs) / 1e9:,.1f} GB, at "
            f"most {MAX_CLIP_BYTES / 1e9:.1f} GB can be rendered; {greatest.name} is "
            f"{dict(zip(greatest.dims, greatest.shape, strict=True))}: set smaller sizes"
        )


def parse_assignments(settings: Sequence[str]) -> dict[str, str]:
    """Texts `key=value` as a mapping.

    Raises:
        InputError: text without an equals sign.
    """
    parsed = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--set takes key=value, got {setting!r}")
        parsed[key.strip()] = value.strip()
    return parsed


def _clips_per_shard(inputs: RenderInputs) -> int:
    """64, or fewer: as many as the greatest planned pose shard has, and as a block may hold.

    So little is padding, and a worker has no more than a block in memory.

    Raises:
        InputError: no clip of the catalog is of a planned video.
    """
    clips_of = Counter(clip.video_id for clip in inputs.catalog.clips)
    sizes = [
        sum(clips_of[video.id] for video in videos)
        for plan in inputs.poses.plans()
        for videos in plan.shards().values()
    ]
    if not any(sizes):
        raise InputError(
            f"{inputs.poses.url} plans no video of the catalog {inputs.catalog.name!r}; extract "
            "the catalog first, or give the one that the poses were made from with --catalog"
        )
    return clips_per_block(bytes_per_clip(inputs.specs), min(CLIPS_PER_SHARD, max(sizes)))
