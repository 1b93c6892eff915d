"""What every command shares: options, the configuration file, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from posemill.errors import InputError, MissingDependency
from posemill.pipelines.supervise import GIB, Limits
from posemill.storage.video import VideoLimits
from posemill.transforms.tracking import Similarity

DEFAULT_LIMITS = Limits()
DEFAULT_VIDEO_LIMITS = VideoLimits()

JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print the summary as one JSON object instead of a line.")
]
DryRunFlag = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")
]
WorkersOption = Annotated[int, typer.Option(min=1, help="Number of worker processes.")]
DeviceOption = Annotated[str, typer.Option(help="cpu, cuda, or cuda:N.")]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        "--weights",
        "--checkpoint",
        metavar="NAME|PATH",
        help="Published weights, as `posemill models list` names them, or a local file or folder "
        "\\[default: the estimator's default ones].",
    ),
]
EstimatorOptionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--estimator-option",
        metavar="KEY=VALUE",
        help="A parameter of the estimator's own; repeatable.",
    ),
]
VideoTimeoutOption = Annotated[
    float,
    typer.Option(
        min=1,
        metavar="SECONDS",
        help="Without a sign of life for so long, a video counts as hung; so it does where none "
        "of its frames is finished for this and a minute for each second of footage.",
    ),
]
DecodersOption = Annotated[
    int,
    typer.Option(
        min=1,
        max=64,
        help="Processes of each worker that decode videos. More than 1 helps where poses are "
        "estimated faster than one core decodes, as with a GPU.",
    ),
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Frames that go through the network together, of several videos; found by a trial "
        "on a GPU unless given. One too large for the device is halved.",
    ),
]
PoseProcessesOption = Annotated[
    int,
    typer.Option(
        min=0,
        max=64,
        help="Processes of each worker that turn the network's output into people. More than 0 "
        "helps where a GPU is faster than one core does that, as with openpifpaf.",
    ),
]
MemoryLimitOption = Annotated[
    float,
    typer.Option(
        min=0.1, metavar="GIB", help="Memory of each worker's decoders and estimator, together."
    ),
]
MaxEdgeOption = Annotated[
    int, typer.Option(min=1, metavar="PX", help="Refuse videos whose frames have a longer edge.")
]
MaxHoursOption = Annotated[
    float, typer.Option(min=0.001, metavar="HOURS", help="Refuse longer videos.")
]
MaxGibOption = Annotated[float, typer.Option(min=0.001, metavar="GIB", help="Refuse larger files.")]
TrackByOption = Annotated[
    Similarity,
    typer.Option(
        help="Follow people by their joints (oks) or the boxes around them (box), where they are "
        "not followed already: as by blazepose, or in pose files with tracks."
    ),
]
MaxPersonsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Keep N people of each video, those with the greatest score x size x duration.",
    ),
]
ShardVideosOption = Annotated[
    int | None, typer.Option(min=1, help="Videos in a new shard; at most 256 unless given.")
]
IgnoreTimesFlag = Annotated[
    bool,
    typer.Option(
        "--ignore-times", help="A file copied since is the same one if size and ends are."
    ),
]
MaxQuarantinedOption = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Stop when a greater share of the videos tried, and more than ten, are "
        "quarantined; 0 stops at the first one.",
    ),
]
StrictFlag = Annotated[
    bool, typer.Option("--strict", help="Missing videos count for the exit status, too.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of everything that is random.")]


def _read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Take the file's values as defaults; what the command line says goes first."""
    if path is None:
        return None
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise InputError(f"--config {path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"--config {path}: is not YAML: {reason}") from error
    if not isinstance(values, dict):
        raise InputError(f"--config {path}: expected `option: value` lines, got {values!r}")
    known = {
        parameter.opts[0].lstrip("-"): str(parameter.name)
        for parameter in context.command.params
        if parameter.opts[0] not in ("--config", "--help")
    }
    if unknown := sorted(set(map(str, values)) - set(known)):
        raise InputError(
            f"--config {path}: {context.info_name} has no option {', '.join(unknown)}; "
            f"it has: {', '.join(sorted(known))}"
        )
    repeatable = {p.name for p in context.command.params if getattr(p, "multiple", False)}
    named = {known[str(key)]: value for key, value in values.items()}
    named |= {name: _texts(named[name]) for name in repeatable & named.keys()}
    context.default_map = {**(context.default_map or {}), **named}
    return path


def _texts(value: Any) -> list[str]:
    """What a repeatable option is given: a list, a mapping for KEY=VALUE, or one for all."""
    if isinstance(value, dict):
        return [f"{key}={_text(each)}" for key, each in value.items()]
    return [_text(each) for each in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    """As it is written on a command line; YAML has truth values of its own."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def limits(video_timeout: float, memory_limit: float) -> Limits:
    """Of the options `--video-timeout` and `--memory-limit`."""
    return Limits(
        item_seconds=video_timeout,
        silence_seconds=video_timeout,
        memory_bytes=int(memory_limit * GIB),
    )


def key_values(option: str, texts: Sequence[str] | None) -> dict[str, str]:
    """Of a repeatable option `KEY=VALUE`.

    Raises:
        InputError: a text without `=` or a key, or a key given twice.
    """
    values: dict[str, str] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise InputError(f"{option} {text}: expected KEY=VALUE")
        if key in values:
            raise InputError(f"{option} {text}: {key} is given twice")
        values[key] = value
    return values


def video_limits(max_edge: int, max_hours: float, max_gib: float) -> VideoLimits:
    """Of the options `--max-edge`, `--max-hours` and `--max-gib`."""
    return VideoLimits(max_edge, max_hours * 3600, int(max_gib * GIB))


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        callback=_read_config,
        is_eager=True,
        help="YAML file with defaults for this command's options.",
    ),
]


def finish(line: str, summary: Mapping[str, Any], *, as_json: bool, exit_status: int = 0) -> None:
    """Print a command's one line, or the same as JSON, and end with `exit_status`."""
    typer.echo(json.dumps(summary, sort_keys=True) if as_json else line)
    if exit_status:
        raise typer.Exit(exit_status)


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 video`, `2 videos`; `1 class`, `2 classes` where the plural is given."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def tally(numbers: Mapping[str, int]) -> str:
    """`2 ok, 1 missing`; `none` where there is nothing to count."""
    return ", ".join(f"{number} {name}" for name, number in numbers.items()) or "none"


def size(num_bytes: float) -> str:
    """Bytes in a unit that gives few digits: `1.2 kB`, `3.4 MB`, `5.6 GB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if num_bytes >= factor:
            return f"{num_bytes / factor:,.1f} {unit}"
    return f"{num_bytes / 1e3:.1f} kB"


def remark(number: int, noun: str, text: str) -> str:
    """What a summary line adds where there is something to tell: `; 2 videos TEXT`."""
    return f"; {count(number, noun)} {text}" if number else ""


def require_torch(purpose: str) -> None:
    """Raises:
    MissingDependency: torch is not installed.
    """
    if find_spec("torch") is None:
        raise MissingDependency("torch", "torch", purpose)
