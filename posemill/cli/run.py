"""The commands that run as shards: `extract` and `materialize`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from posemill.cli.dense import KeepOption, ScalesOption, dense_kinds, dense_line, input_scales
from posemill.cli.download_progress import DownloadProgress
from posemill.cli.engine_options import (
    DEFAULT_ENGINE_OPTIONS,
    EngineOption,
    EngineParametersOption,
    GpusPerWorkerOption,
    OverlapOption,
    ShardTimeoutOption,
    StartTimeoutOption,
    engine_options,
)
from posemill.cli.options import (
    DEFAULT_LIMITS,
    DEFAULT_VIDEO_LIMITS,
    BatchSizeOption,
    ConfigOption,
    DecodersOption,
    DeviceOption,
    DryRunFlag,
    EstimatorOptionsOption,
    IgnoreTimesFlag,
    JsonFlag,
    MaxEdgeOption,
    MaxGibOption,
    MaxHoursOption,
    MaxPersonsOption,
    MaxQuarantinedOption,
    MemoryLimitOption,
    PoseProcessesOption,
    SeedOption,
    ShardVideosOption,
    StrictFlag,
    TrackByOption,
    VideoTimeoutOption,
    WeightsOption,
    WorkersOption,
    count,
    finish,
    key_values,
    limits,
    remark,
    size,
    tally,
    video_limits,
)
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.choose import resolve_estimator
from posemill.pipelines.decode import DecodeSettings
from posemill.pipelines.estimate.settings import BatchSettings
from posemill.pipelines.extract import ExtractConfig, extract, plan_extract
from posemill.pipelines.forecast import Forecast
from posemill.pipelines.materialize import MaterializeConfig, materialize, plan_materialize
from posemill.pipelines.pictures import PictureSettings
from posemill.pipelines.pose_job import PoseSummary
from posemill.pipelines.progress import ProgressDisplay
from posemill.pipelines.quarantine_limit import DEFAULT_SHARE
from posemill.pipelines.supervise import GIB
from posemill.storage.video import FrameOptions
from posemill.storage.video.options import AUTO
from posemill.transforms.tracking import TrackSettings

_PICTURES = PictureSettings()
_SHOWN = 50
"""Clips that are told by name."""


def register(app: typer.Typer) -> None:
    app.command(name="extract")(extract_command)
    app.command(name="materialize")(materialize_command)


def extract_command(
    catalog: Annotated[Path, typer.Argument(help="A catalog, made by `posemill index`.")],
    out: Annotated[
        str,
        typer.Option("--out", "-o", help="The pose store: poses.zarr, or s3://bucket/poses.zarr."),
    ],
    estimator: Annotated[
        str,
        typer.Option(
            help="A name that `posemill models list` shows, or a plugin's. auto is blazepose, "
            "which runs on the CPU: for --device cuda name another one."
        ),
    ] = "auto",
    weights: WeightsOption = None,
    estimator_option: EstimatorOptionsOption = None,
    pull: Annotated[
        bool,
        typer.Option(
            "--pull", help="Download the estimator's published weights if they are missing."
        ),
    ] = False,
    device: DeviceOption = "cpu",
    decoders: DecodersOption = 1,
    batch_size: BatchSizeOption = None,
    pose_processes: PoseProcessesOption = 0,
    boxes: Annotated[
        Literal["detect", "catalog"],
        typer.Option(
            help="Where people are: the estimator finds them, or the catalog's clips have their "
            "boxes (for top-down estimators: vitpose)."
        ),
    ] = "detect",
    threads: Annotated[int, typer.Option(min=1, help="Threads of each worker's estimator.")] = 1,
    track_by: TrackByOption = "oks",
    max_persons: MaxPersonsOption = None,
    reproducible: Annotated[
        bool, typer.Option("--reproducible", help="Bit-equal poses for any split of the work.")
    ] = False,
    decoder: Annotated[
        str, typer.Option(help="auto, pyav (reads on after damage) or opencv (stops there).")
    ] = AUTO,
    long_edge: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="PX",
            help="Scale larger frames down; poses stay in the source's pixels.",
        ),
    ] = None,
    frame_step: Annotated[
        int, typer.Option(min=1, metavar="N", help="Take every N-th frame only.")
    ] = 1,
    fps: Annotated[
        float | None, typer.Option(help="Take so many frames a second, at most those there are.")
    ] = None,
    square_pixels: Annotated[
        bool, typer.Option("--square-pixels", help="Stretch frames whose pixels are not square.")
    ] = False,
    keep: KeepOption = "",
    scales: ScalesOption = "1",
    shard_videos: ShardVideosOption = None,
    ignore_times: IgnoreTimesFlag = False,
    video_timeout: VideoTimeoutOption = DEFAULT_LIMITS.silence_seconds,
    memory_limit: MemoryLimitOption = DEFAULT_LIMITS.memory_bytes / GIB,
    max_edge: MaxEdgeOption = DEFAULT_VIDEO_LIMITS.max_edge_px,
    max_hours: MaxHoursOption = DEFAULT_VIDEO_LIMITS.max_seconds / 3600,
    max_gib: MaxGibOption = DEFAULT_VIDEO_LIMITS.max_bytes / GIB,
    max_quarantined: MaxQuarantinedOption = DEFAULT_SHARE,
    strict: StrictFlag = False,
    engine: EngineOption = "local",
    workers: WorkersOption = 2,
    gpus_per_worker: GpusPerWorkerOption = 0,
    overlap: OverlapOption = DEFAULT_ENGINE_OPTIONS.overlap,
    shard_timeout: ShardTimeoutOption = None,
    start_timeout: StartTimeoutOption = DEFAULT_ENGINE_OPTIONS.start_timeout_seconds,
    engine_option: EngineParametersOption = None,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Decode videos and estimate poses: catalog -> pose store.

    Does only what is missing; the same command goes on where it was stopped, and
    two of them at once share the work. A video whose file changed since its poses
    were made stops it, and --dry-run tells what is expected and what is skipped.
    """
    kept = dense_kinds(keep)
    with DownloadProgress(f"weights of {estimator}") as progress:
        chosen = resolve_estimator(
            estimator, weights=weights, pull=pull and not dry_run, on_bytes=progress
        )
    if chosen.note:
        typer.echo(chosen.note, err=True)
    settings = ExtractConfig(
        catalog=catalog,
        out=out,
        estimator=chosen.name,
        options=EstimatorOptions(
            device=device,
            weights=chosen.weights,
            variant=chosen.variant,
            threads=threads,
            reproducible=reproducible,
            boxes_given=boxes == "catalog",
            keep=kept,
            scales=input_scales(scales, kept),
            parameters=key_values("--estimator-option", estimator_option),
        ),
        engine=engine,
        engine_options=engine_options(
            workers, engine_option, start_timeout, shard_timeout, overlap, gpus_per_worker
        ),
        limits=limits(video_timeout, memory_limit),
        decoding=DecodeSettings(
            decoders,
            FrameOptions(long_edge, frame_step, fps, decoder, square_pixels=square_pixels),
            video_limits(max_edge, max_hours, max_gib),
        ),
        batching=BatchSettings(batch_size, pose_processes),
        tracks=TrackSettings(by=track_by, max_persons=max_persons),
        max_quarantined=max_quarantined,
        videos_per_shard=shard_videos,
        ignore_times=ignore_times,
    )
    if dry_run:
        expected = plan_extract(settings)
        finish(_forecast_lines(expected, settings), expected.as_dict(), as_json=json)
        return
    with ProgressDisplay() as display:
        summary = extract(settings, display)
    for video_id, message in summary.not_whole.items():
        typer.echo(f"{video_id}: {message}", err=True)
    finish(
        _extract_line(summary, out),
        summary.as_dict(),
        as_json=json,
        exit_status=1 if summary.num_unhappy(strict=strict) else 0,
    )


def _forecast_lines(expected: Forecast, settings: ExtractConfig) -> str:
    plan, rates = expected.plan, expected.rates
    num_videos = sum(task.num_items for task in plan.pending)
    by_bytes = f" ({expected.num_by_bytes:,} of the lengths told from bytes)"
    known = f"measured on {count(rates.num_shards, 'shard')}" if rates.num_shards else "assumed"
    return (
        f"would extract {count(num_videos, 'video')} in {count(len(plan.pending), 'shard')} with "
        f"{settings.estimator}: {_duration(expected.footage_seconds)} of footage"
        f"{by_bytes if expected.num_by_bytes else ''}, {expected.input_bytes / 1e6:,.1f} MB to read"
        f"\nexpected: {size(expected.output_bytes)} of poses in "
        f"{_duration(expected.seconds)} with "
        f"{count(settings.engine_options.workers, 'worker')}; a second of footage is "
        f"{rates.work_seconds:.2f} s of work and {rates.person_frames:.1f} person-frames of "
        f"{rates.bytes_per_person_frame:.1f} bytes, {known}"
        f"{'' if expected.dense is None else dense_line(expected.dense)}"
        f"\nskipped: {plan.num_committed_shards:,} of {count(plan.num_shards, 'shard')} done"
        + remark(plan.num_other_shards, "shard", "of other catalogs")
        + remark(expected.num_missing, "video", "missing on disk, to be noted as such")
        + remark(plan.num_void_videos, "video", "found damaged, to be made again")
    )


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} hours" if seconds >= 3600 else f"{seconds:.0f} s"


def _extract_line(summary: PoseSummary, out: str) -> str:
    return (
        f"{out}: {count(sum(summary.statuses.values()), 'video')} ({tally(summary.statuses)}), "
        f"{count(summary.num_frames, 'frame')}; {summary.num_made_videos} extracted now "
        f"in {summary.seconds:.1f} s"
        + remark(summary.plan.num_other_shards, "shard", "of other catalogs left to do")
    )


def materialize_command(
    poses: Annotated[str, typer.Argument(help="A pose store, made by `posemill extract`.")],
    out: Annotated[
        str,
        typer.Option("--out", "-o", help="The feature store: a path, or s3://bucket/name."),
    ],
    recipe: Annotated[str, typer.Option(help="As `posemill recipes` lists them.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the recipe; repeatable."),
    ] = None,
    catalog: Annotated[
        Path | None,
        typer.Option(help="Clips and labels \\[default: the catalog the poses were made from]."),
    ] = None,
    seed: SeedOption = 0,
    video_timeout: Annotated[
        float,
        typer.Option(
            min=1,
            metavar="SECONDS",
            help="Without a sign of life for so long, the decoder of a video counts as hung.",
        ),
    ] = _PICTURES.silence_seconds,
    max_edge: MaxEdgeOption = DEFAULT_VIDEO_LIMITS.max_edge_px,
    max_hours: MaxHoursOption = DEFAULT_VIDEO_LIMITS.max_seconds / 3600,
    max_gib: MaxGibOption = DEFAULT_VIDEO_LIMITS.max_bytes / GIB,
    max_quarantined: MaxQuarantinedOption = DEFAULT_SHARE,
    engine: EngineOption = "local",
    workers: WorkersOption = 2,
    shard_timeout: ShardTimeoutOption = None,
    start_timeout: StartTimeoutOption = DEFAULT_ENGINE_OPTIONS.start_timeout_seconds,
    engine_option: EngineParametersOption = None,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Render features: pose store -> feature store of plain Zarr arrays.

    Recipes that read frames decode the catalog's videos once more. A clip whose video
    is missing, or is not the one of its poses, is told by name and left out; when the
    file is back, the same command makes it.
    """
    settings = MaterializeConfig(
        poses=poses,
        out=out,
        recipe=recipe,
        settings=tuple(set_ or ()),
        catalog=catalog,
        seed=seed,
        engine=engine,
        engine_options=engine_options(workers, engine_option, start_timeout, shard_timeout),
        pictures=PictureSettings(video_limits(max_edge, max_hours, max_gib), video_timeout),
        max_quarantined=max_quarantined,
    )
    if dry_run:
        plan = plan_materialize(settings)
        line = (
            f"would render {count(plan.num_clips_to_do, 'clip')} "
            f"in {count(len(plan.pending), 'shard')}: {plan.bytes_per_clip / 1e6:.2f} MB a clip "
            "before compression"
            + remark(plan.num_absent_videos, "video", "to decode missing on disk")
        )
        finish(line, plan.as_dict(), as_json=json)
        return
    with ProgressDisplay() as display:
        summary = materialize(settings, display)
    _tell_unmade(summary.unmade)
    arrays = ", ".join(f"{name} {shape}" for name, shape in summary.shapes.items())
    plan = summary.plan
    line = (
        f"{out}: {count(plan.num_clips, 'clip')} ({summary.num_valid} valid), "
        f"{summary.num_rendered} rendered now in {summary.seconds:.1f} s; {arrays}"
        + remark(plan.num_shards_not_extracted, "shard", "of the poses not extracted yet")
        + remark(plan.num_clips_without_video, "clip", "of videos that the poses lack")
        + remark(len(summary.unmade), "clip", "whose frames could not be had")
    )
    finish(line, summary.as_dict(), as_json=json, exit_status=1 if summary.unmade else 0)


def _tell_unmade(unmade: Mapping[str, str]) -> None:
    for clip_id, message in list(unmade.items())[:_SHOWN]:
        typer.echo(f"{clip_id}: {message}", err=True)
    if len(unmade) > _SHOWN:
        typer.echo(f"and {len(unmade) - _SHOWN:,} more clips; --json lists all", err=True)
