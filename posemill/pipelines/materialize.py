"""Poses to features: plans, resumes and sums up; `materialize_shard` does the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
from posemill.pipelines.materialize_rows import missing_rows
from posemill.pipelines.plan import begin_order
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
from posemill.storage.poses import PlanTable, PoseStore
from posemill.storage.store_root import is_absent
from posemill.storage.videos import VideoTable
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import Recipe, create_recipe

MAX_CLIP_BYTES = 2 * 2**30
"""Of one clip's arrays: what a worker holds, twice over, while it renders."""
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


@dataclass(frozen=True, slots=True)
class MaterializePlan:
    """What a run would do: the answer of `--dry-run`."""

    num_clips: int
    num_clips_to_do: int
    bytes_per_clip: int
    """Before compression."""
    pending: tuple[ShardTask, ...]
    num_shards_not_extracted: int
    num_clips_without_video: int
    """Clips of the catalog whose video the pose store does not hold."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "clips": self.num_clips,
            "clips_to_do": self.num_clips_to_do,
            "bytes_per_clip": self.bytes_per_clip,
            "shards_to_do": len(self.pending),
            "shards_not_extracted": self.num_shards_not_extracted,
            "clips_without_video": self.num_clips_without_video,
        }


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
    plan: MaterializePlan

    def as_dict(self) -> dict[str, Any]:
        return {
            "clips": self.plan.num_clips,
            "valid": self.num_valid,
            "rendered_now": self.num_rendered,
            "rendered_twice": self.num_lost,
            "shards_not_extracted": self.plan.num_shards_not_extracted,
            "clips_without_video": self.plan.num_clips_without_video,
            "seconds": round(self.seconds, 2),
            "shapes": {name: list(shape) for name, shape in self.shapes.items()},
        }


def materialize(config: MaterializeConfig, on_event: Callable[[Event], None]) -> MaterializeSummary:
    """Render every extracted clip that the feature store does not hold yet.

    A shard whose poses were committed anew is rendered anew. Two runs on one store
    at once share the shards, as those of `extract` do.

    Raises:
        InputError: the poses, the catalog, the recipe or the output cannot be used.
        EnvironmentFault: shards failed; what was committed stays.
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
    plan = _plan(inputs, rows, _look_after(store))
    spec = WorkerSpec(
        "posemill.pipelines.materialize_shard:MaterializeWorker",
        {
            "poses": absolute_place(config.poses),
            "out": absolute_place(config.out),
            "recipe": inputs.recipe,
            "seed": config.seed,
        },
    )

    def render(tasks: Sequence[ShardTask]) -> RunReport:
        report = engine.run(begin_order(tasks, randbits(64)), spec, on_event, store.mailbox)
        report.require_success(STAGE)
        return report

    on_event(StageStarted(STAGE, len(plan.pending), plan.num_clips_to_do))
    try:
        reports, state = _render_until_whole(
            render, store, plan.pending, partial(_plan, inputs, rows)
        )
    finally:
        on_event(StageEnded(STAGE, monotonic() - started))
    return MaterializeSummary(
        num_valid=state.num_valid,
        num_rendered=sum(report.num_items(ShardOutcome.COMMITTED) for report in reports),
        num_lost=sum(report.num_items(ShardOutcome.LOST_RACE) for report in reports),
        seconds=monotonic() - started,
        shapes={spec.name: spec.shape for spec in inputs.specs},
        plan=plan,
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
        return _plan(inputs, missing_rows(inputs.catalog, inputs.commits, []), None)
    store = FeatureStore.open(config.out)
    store.require_configuration(inputs.specs, inputs.configuration, inputs.catalog.classes)
    rows = [row for row in store.rows() if row is not None]
    more = missing_rows(inputs.catalog, inputs.commits, rows)
    return _plan(inputs, [*rows, *more], store.inspect(suspects=True))


def _read_inputs(config: MaterializeConfig) -> RenderInputs:
    recipe = create_recipe(config.recipe, parse_assignments(config.settings))
    if recipe.draws_anew:
        raise InputError(
            f"recipe {recipe.name} with draw=train gives another random view at every call, and a "
            "store would freeze one of them; set draw=cache, from which views are drawn at load, "
            "or draw=test"
        )
    inputs = read_render_inputs(config.poses, recipe, config.catalog, config.seed)
    _check_size(recipe, inputs.specs)
    return inputs


def _check_size(recipe: Recipe, specs: Sequence[OutputSpec]) -> None:
    """Raises:
    InputError: a clip that a worker's memory would not hold.
    """
    if _bytes_per_clip(specs) > MAX_CLIP_BYTES:
        greatest = max(specs, key=lambda spec: prod(spec.shape) * np.dtype(spec.dtype).itemsize)
        raise InputError(
            f"recipe {recipe.name}: a clip would take {_bytes_per_clip(specs) / 1e9:,.1f} GB, at "
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
    return clips_per_block(_bytes_per_clip(inputs.specs), min(CLIPS_PER_SHARD, max(sizes)))


def _bytes_per_clip(specs: Sequence[OutputSpec]) -> int:
    return sum(prod(spec.shape) * np.dtype(spec.dtype).itemsize for spec in specs)


def _plan(
    inputs: RenderInputs, rows: Sequence[FeatureRow], state: FeatureState | None
) -> MaterializePlan:
    plans = inputs.poses.plans()
    _require_planned(inputs.poses, plans, rows)
    sizes = Counter(row.pose_shard for row in rows)
    # Anew, after the rows: those that another driver added are of shards committed since.
    commits = inputs.poses.committed()
    videos = {entry.video_id for commit in commits.values() for entry in commit.entries}
    # What is void is made again first: until then its clips keep the features they have.
    void = {shard for shard, commit in commits.items() if commit.has_void}
    ready = {s: c.marker_sha256 for s, c in commits.items() if s not in void}
    pending = tuple(
        ShardTask(STAGE, shard_id, num_clips, float(num_clips))
        for shard_id, num_clips in sizes.items()
        if shard_id in ready and not (state and state.is_made(shard_id, ready[shard_id]))
    )
    num_planned = len({shard for plan in plans for shard in np.unique(plan.shard_id).tolist()})
    return MaterializePlan(
        num_clips=len(rows),
        num_clips_to_do=sum(task.num_items for task in pending),
        bytes_per_clip=_bytes_per_clip(inputs.specs),
        pending=pending,
        num_shards_not_extracted=num_planned - len(commits) + len(void),
        num_clips_without_video=sum(clip.video_id not in videos for clip in inputs.catalog.clips),
    )


def _require_planned(
    poses: PoseStore, plans: Sequence[PlanTable], rows: Sequence[FeatureRow]
) -> None:
    """Refuse features of other poses than these.

    The plans tell, not the commits: whoever adds rows beside this run knows of later ones.

    Raises:
        InputError: a clip's video is not planned for the pose shard of its row.
    """
    shards = {
        video_id: shard
        for plan in plans
        for video_id, shard in zip(
            VideoTable.of(plan.videos).ids(), plan.shard_id.tolist(), strict=True
        )
    }
    strange = next((row for row in rows if shards.get(row.video_id) != row.pose_shard), None)
    if strange is not None:
        raise InputError(
            f"the features have the clip {strange.clip_id!r} in pose shard {strange.pose_shard}, "
            f"where {poses.url} plans no such video: they were made from other poses; materialize "
            "into a new store"
        )
