"""The commands that keep stores whole: `verify`, `retry` and `gc`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    DryRunFlag,
    JsonFlag,
    MaxEdgeOption,
    MaxHoursOption,
    MemoryLimitOption,
    PoseProcessesOption,
    VideoTimeoutOption,
    WorkersOption,
    count,
    finish,
    limits,
    remark,
    tally,
    video_limits,
)
from posemill.pipelines.estimate.settings import BatchSettings
from posemill.pipelines.gc import collect_garbage
from posemill.pipelines.import_poses import MAX_SOURCE_BYTES
from posemill.pipelines.progress import ProgressDisplay
from posemill.pipelines.retry import RETRIABLE, RetryConfig, RetrySummary, plan_retry, retry
from posemill.pipelines.supervise import GIB
from posemill.pipelines.verify import DEFAULT_OPTIONS, VerifyReport, verify
from posemill.schema import VideoStatus

_DAMAGED = 3
StoreArgument = Annotated[str, typer.Argument(help="A pose store or a feature store.")]


def register(app: typer.Typer) -> None:
    app.command(name="verify")(verify_command)
    app.command(name="retry")(retry_command)
    app.command(name="gc")(gc_command)


def verify_command(
    store: StoreArgument,
    repair: Annotated[
        bool, typer.Option("--repair", help="Have what is damaged made again by the next run.")
    ] = False,
    engine: EngineOption = "local",
    workers: Annotated[
        int, typer.Option(min=1, help="Number of shards read at once.")
    ] = DEFAULT_OPTIONS.workers,
    shard_timeout: ShardTimeoutOption = None,
    start_timeout: StartTimeoutOption = DEFAULT_OPTIONS.start_timeout_seconds,
    engine_option: EngineParametersOption = None,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Check every file, row and record of a store; exit status 3 where one is damaged.

    With --repair, damaged videos or features are committed as void, and the next `extract`,
    `import`, `retry` or `materialize` makes them again, and only them.
    """
    with ProgressDisplay() as display:
        report = verify(
            store,
            repair=repair,
            engine=engine,
            engine_options=engine_options(workers, engine_option, start_timeout, shard_timeout),
            on_event=display,
        )
    for damage in report.damages:
        typer.echo(str(damage), err=True)
    for record in report.superseded:
        typer.echo(
            f"{record}: was altered or cannot be read; a later record stands in its place", err=True
        )
    finish(
        _verify_line(store, report, repair),
        report.as_dict(),
        as_json=json,
        exit_status=0 if report.is_whole else _DAMAGED,
    )


def _verify_line(store: str, report: VerifyReport, repair: bool) -> str:
    items = {item for damage in report.damages for item in damage.items}
    if not report.damages:
        found = "whole"
    else:
        noun = "video" if report.kind == "poses" else "clip"
        found = f"{count(len(report.damages), 'damage')}, of {count(len(items), noun)}"
    command = "extract or import" if report.kind == "poses" else "materialize"
    remedy = ""
    if repair and report.num_mended:
        remedy = (
            f"; {count(report.num_mended, 'part')} mended: run {command} again for what is void"
        )
    if not repair and report.num_irreparable < report.num_damaged:
        remedy += "; run it again with --repair"
    elif report.num_mended + report.num_irreparable < report.num_damaged:
        remedy += "; another repair was first at some of it: look again"
    if report.num_irreparable:
        remedy += (
            "; some of it cannot be repaired: let it be read, restore it from a backup, or make "
            "the store again"
        )
    return (
        f"{store}: {found}; {count(report.num_files, 'file')}, {report.num_bytes / 1e6:,.1f} MB of "
        f"{count(report.num_shards, 'shard')}"
        + remark(report.num_shards_to_do, "shard", "to do")
        + remedy
    )


def retry_command(
    poses: Annotated[str, typer.Argument(help="A pose store.")],
    video: Annotated[
        list[str] | None, typer.Argument(help="Ids of videos [all of the statuses given].")
    ] = None,
    status: Annotated[
        str, typer.Option(help="Statuses to retry, with commas between them.")
    ] = ",".join(RETRIABLE),
    reason: Annotated[
        list[str] | None, typer.Option(help="Only of this reason, as `status` lists; repeatable.")
    ] = None,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed", help="Instead those whose files are others now, on disk or in the catalog."
        ),
    ] = False,
    ignore_times: Annotated[
        bool,
        typer.Option("--ignore-times", help="Files that differ in their times only are the same."),
    ] = False,
    catalog: Annotated[
        Path | None,
        typer.Option(help="Where the videos are listed \\[default: as at extraction]."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Local file or folder of the estimator's weights.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, or cuda:N \\[default: as at extraction].")
    ] = None,
    decoders: DecodersOption = 1,
    batch_size: BatchSizeOption = None,
    pose_processes: PoseProcessesOption = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each worker's estimator.")] = 1,
    video_timeout: VideoTimeoutOption = DEFAULT_LIMITS.silence_seconds,
    memory_limit: MemoryLimitOption = DEFAULT_LIMITS.memory_bytes / GIB,
    max_edge: MaxEdgeOption = DEFAULT_VIDEO_LIMITS.max_edge_px,
    max_hours: MaxHoursOption = DEFAULT_VIDEO_LIMITS.max_seconds / 3600,
    max_gib: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="GIB",
            help=f"Refuse larger files \\[default: {DEFAULT_VIDEO_LIMITS.max_bytes / GIB:g}; of "
            f"imported ones {MAX_SOURCE_BYTES / GIB:g}].",
        ),
    ] = None,
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
    """Make videos again that are missing, quarantined or void; all others stay as they are.

    Uses the store's own estimator and options, or the format that it was imported from.
    A file that is still missing stays so. Raise --video-timeout, --memory-limit or a
    --max-... where a good video was quarantined for them.
    """
    settings = RetryConfig(
        poses=poses,
        catalog=catalog,
        statuses=[each.strip() for each in status.split(",")],
        reasons=reason or (),
        video_ids=video or (),
        changed=changed,
        ignore_times=ignore_times,
        device=device,
        weights=weights,
        threads=threads,
        limits=limits(video_timeout, memory_limit),
        decoders=decoders,
        batching=BatchSettings(batch_size, pose_processes),
        video_limits=video_limits(
            max_edge, max_hours, max_gib or DEFAULT_VIDEO_LIMITS.max_bytes / GIB
        ),
        max_source_bytes=int((max_gib or MAX_SOURCE_BYTES / GIB) * GIB),
        engine=engine,
        engine_options=engine_options(
            workers, engine_option, start_timeout, shard_timeout, overlap, gpus_per_worker
        ),
    )
    if dry_run:
        plan = plan_retry(settings)
        line = (
            f"would make {count(len(plan.video_ids), 'video')} again "
            f"({tally(plan.statuses)}) in "
            f"{count(len(plan.pending), 'shard')}"
            + remark(len(plan.still_missing), "video", "still missing")
        )
        finish(line, plan.as_dict(), as_json=json)
        return
    with ProgressDisplay() as display:
        summary = retry(settings, display)
    for video_id, message in summary.not_whole.items():
        typer.echo(f"{video_id}: {message}", err=True)
    finish(
        _retry_line(poses, summary),
        summary.as_dict(),
        as_json=json,
        exit_status=1 if summary.statuses.get(VideoStatus.QUARANTINED, 0) else 0,
    )


def _retry_line(poses: str, summary: RetrySummary) -> str:
    return (
        f"{poses}: {count(len(summary.plan.video_ids), 'video')} made again "
        f"({tally(summary.statuses)}) in {summary.seconds:.1f} s"
        + remark(len(summary.plan.still_missing), "video", "still missing")
        + remark(summary.num_shards_lost, "shard", "committed by another run first")
    )


def gc_command(
    store: StoreArgument,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Remove what killed or lost attempts left behind; look at it with --dry-run first.

    Removes only what no attempt can commit any more, and never a record, so that it
    may run beside any job.
    """
    report = collect_garbage(store, dry_run=dry_run)
    for each in report.garbage:
        typer.echo(f"{each.name}: {each.num_bytes:,} bytes", err=True)
    verb = "would remove" if dry_run else "removed"
    line = f"{store}: {verb} {count(len(report.garbage), 'leftover')}, {report.num_bytes:,} bytes"
    finish(line, report.as_dict(), as_json=json)
