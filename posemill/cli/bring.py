"""The commands that bring in what was made elsewhere: `import`, and `formats` that it takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from posemill.cli.describe import first_line, list_all, settings_as_dict, settings_lines
from posemill.cli.engine_options import (
    DEFAULT_ENGINE_OPTIONS,
    EngineOption,
    EngineParametersOption,
    ShardTimeoutOption,
    StartTimeoutOption,
    engine_options,
)
from posemill.cli.options import (
    ConfigOption,
    DryRunFlag,
    IgnoreTimesFlag,
    JsonFlag,
    MaxGibOption,
    MaxPersonsOption,
    MaxQuarantinedOption,
    ShardVideosOption,
    StrictFlag,
    TrackByOption,
    WorkersOption,
    count,
    finish,
    key_values,
    remark,
    tally,
)
from posemill.errors import InputError
from posemill.pipelines.import_poses import (
    MAX_SOURCE_BYTES,
    ImportConfig,
    import_poses,
    plan_import,
)
from posemill.pipelines.import_settings import ImportSettings
from posemill.pipelines.pose_job import PoseSummary
from posemill.pipelines.pose_plan import PosePlan
from posemill.pipelines.progress import ProgressDisplay
from posemill.pipelines.quarantine_limit import DEFAULT_SHARE
from posemill.pipelines.supervise import GIB
from posemill.settings import describe_settings
from posemill.storage.formats.registry import create_format, format_names, get_format
from posemill.transforms.tracking import TrackSettings

_SIZE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})")


def register(app: typer.Typer) -> None:
    app.command(name="import")(import_command)
    app.command(name="formats")(formats_command)


def import_command(
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="As `posemill formats` lists them.")
    ],
    source: Annotated[Path, typer.Argument(help="A folder of pose files, or one file.")],
    out: Annotated[
        str,
        typer.Option("--out", "-o", help="The pose store: poses.zarr, or s3://bucket/poses.zarr."),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the format; repeatable."),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Size of the frames in pixels, if no file tells it."),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames per second, if no file tells them.")
    ] = None,
    catalog: Annotated[
        Path | None,
        typer.Option(
            help="Whose clips and labels `materialize` shall take; its videos have the same ids."
        ),
    ] = None,
    track_by: TrackByOption = "oks",
    max_persons: MaxPersonsOption = None,
    shard_videos: ShardVideosOption = None,
    ignore_times: IgnoreTimesFlag = False,
    max_gib: MaxGibOption = MAX_SOURCE_BYTES / GIB,
    max_quarantined: MaxQuarantinedOption = DEFAULT_SHARE,
    strict: StrictFlag = False,
    engine: EngineOption = "local",
    workers: WorkersOption = 2,
    shard_timeout: ShardTimeoutOption = None,
    start_timeout: StartTimeoutOption = DEFAULT_ENGINE_OPTIONS.start_timeout_seconds,
    engine_option: EngineParametersOption = None,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Bring pose files made elsewhere into a pose store.

    Does only what is missing; the same command goes on where it was stopped. A video's
    id is the path of its file or folder below SOURCE, so that an index of the videos has
    the same ids. A file that cannot be used is quarantined, and the others complete.
    """
    settings = ImportConfig(
        source=source,
        out=out,
        settings=ImportSettings(
            create_format(format_name, key_values("--set", set_)),
            _size_wh(size),
            fps,
            TrackSettings(by=track_by, max_persons=max_persons),
        ),
        catalog=catalog,
        engine=engine,
        engine_options=engine_options(workers, engine_option, start_timeout, shard_timeout),
        max_bytes=int(max_gib * GIB),
        max_quarantined=max_quarantined,
        videos_per_shard=shard_videos,
        ignore_times=ignore_times,
    )
    if dry_run:
        plan = plan_import(settings)
        finish(_plan_line(plan), plan.as_dict(), as_json=json)
        return
    with ProgressDisplay() as display:
        summary = import_poses(settings, display)
    for video_id, message in summary.not_whole.items():
        typer.echo(f"{video_id}: {message}", err=True)
    finish(
        _line(summary, out),
        summary.as_dict(),
        as_json=json,
        exit_status=1 if summary.num_unhappy(strict=strict) else 0,
    )


def formats_command(
    name: Annotated[str | None, typer.Argument(help="A format, to see its settings.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the pose formats that `import` takes, or the settings of one."""
    if name is None:
        list_all("formats", {each: get_format(each) for each in format_names()}, as_json=json)
        return
    found = get_format(name)
    settings = describe_settings(found)
    needs = [
        option
        for option, told in (("--size", found.tells_size), ("--fps", found.tells_fps))
        if not told
    ]
    lines = [f"{name}: {first_line(found)}", f"needs: {', '.join(needs) or 'nothing'}"]
    lines += settings_lines(settings)
    about = settings_as_dict(settings)
    finish("\n".join(lines), {"name": name, "needs": needs, "settings": about}, as_json=json)


def _size_wh(text: str | None) -> tuple[int, int] | None:
    """Raises:
    InputError: text that is no size.
    """
    if text is None:
        return None
    match = _SIZE.fullmatch(text)
    if match is None:
        raise InputError(f"--size takes WIDTHxHEIGHT in pixels, such as 1920x1080, got {text!r}")
    return int(match[1]), int(match[2])


def _plan_line(plan: PosePlan) -> str:
    num_videos = sum(task.num_items for task in plan.pending)
    num_bytes = sum(task.cost for task in plan.pending)
    return (
        f"would import {count(num_videos, 'video')} in {count(len(plan.pending), 'shard')}, "
        f"{num_bytes / 1e6:,.1f} MB to read; {plan.num_committed_shards:,} of "
        f"{count(plan.num_shards, 'shard')} done"
        + remark(plan.num_other_shards, "shard", "of other sources")
        + remark(plan.num_void_videos, "video", "found damaged, to be made again")
    )


def _line(summary: PoseSummary, out: str) -> str:
    return (
        f"{out}: {count(sum(summary.statuses.values()), 'video')} ({tally(summary.statuses)}), "
        f"{count(summary.num_frames, 'frame')}; {summary.num_made_videos} imported now "
        f"in {summary.seconds:.1f} s"
        + remark(summary.plan.num_other_shards, "shard", "of other sources left to do")
    )
