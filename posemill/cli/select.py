"""The commands `select ...`: by which of a video's clips a classifier tells what it shows.

torch takes seconds to import, so only the bodies of `select train` and `select apply` do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from posemill.cli.learn import CatalogOption, JoinedOption, LoadersOption, ThreadsOption
from posemill.cli.options import (
    ConfigOption,
    DeviceOption,
    DryRunFlag,
    JsonFlag,
    SeedOption,
    count,
    finish,
    remark,
    require_torch,
)
from posemill.pipelines.metrics.evaluation import FIGURES
from posemill.pipelines.select.cut import Cut, cut_catalog
from posemill.storage.catalog import needs_writing, write_catalog

if TYPE_CHECKING:
    from posemill.models.saliency import RankingLoss
    from posemill.pipelines.evaluate import EvaluateConfig, Weights
    from posemill.pipelines.select.apply import Comparison
    from posemill.pipelines.select.compare import MethodResult
    from posemill.pipelines.select.consensus import Consensus
    from posemill.pipelines.select.methods import Method

RunArgument = Annotated[Path, typer.Argument(help="A run of jmrn, whose network makes features.")]
StoreArgument = Annotated[
    str, typer.Argument(help="A feature store of the clips, or a pose store to render them from.")
]
AnswersOption = Annotated[
    Path,
    typer.Option(help="Folder of a classifier's answers for the clips, by `posemill evaluate`."),
]
SplitOption = Annotated[
    str | None, typer.Option(help="Name of the split; by default the one trained on.")
]
RunWeightsOption = Annotated[
    str, typer.Option(help="Of the run: last, or best on held-out training clips.")
]
FlipFlag = Annotated[
    bool, typer.Option("--flip", help="Features are means over mirror images as well.")
]

select_app = typer.Typer(
    help="Choose the clips of a video by which a classifier tells what it shows."
)


def register(app: typer.Typer) -> None:
    select_app.command(name="clips")(select_clips_command)
    select_app.command(name="train")(select_train_command)
    select_app.command(name="apply")(select_apply_command)
    app.add_typer(select_app, name="select")


def select_clips_command(
    poses: Annotated[str, typer.Argument(help="A pose store, which knows the frames' times.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The catalog of short clips to write.")],
    catalog: Annotated[
        Path | None,
        typer.Option(help="Whose clips are cut \\[default: the catalog the poses were made from]."),
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Of each short clip.")] = 16,
    stride: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Frames from the start of one to the start of the next, at most \\[default: as "
            "many as a clip has].",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a catalog that exists.")
    ] = False,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Cut a catalog's clips into short ones, VIDEO/0000 and so on: poses -> catalog.

    They reach from the first frame to the last, evenly spread. Labels and splits stay.
    """
    made = cut_catalog(poses, catalog, Cut(frames, frames if stride is None else stride))
    if dry_run:
        needs_writing(out, made.catalog, overwrite=overwrite)
    else:
        write_catalog(out, made.catalog, overwrite=overwrite)
    num_clips = len(made.catalog.clips)
    summary = {
        "catalog": str(out),
        "videos": made.num_videos,
        "clips": num_clips,
        "frames": frames,
        "videos_shorter_than_a_clip": made.num_short,
        "videos_without_frames": made.num_unknown,
    }
    line = (
        f"{out}: {count(num_clips, 'clip')} of {count(frames, 'frame')} of "
        f"{count(made.num_videos, 'video')}"
        + remark(made.num_short, "video", "shorter than that, kept whole")
        + remark(made.num_unknown, "video", "without frames, kept whole")
    )
    finish(f"would write {line}" if dry_run else line, summary, as_json=json)


def select_train_command(
    run: RunArgument,
    store: StoreArgument,
    answers: AnswersOption,
    keep: Annotated[int, typer.Option(min=1, help="K: oracle clips of each video.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The ranker's folder.")],
    subset: Annotated[str, typer.Option(help="The subset to train on.")] = "train",
    split: SplitOption = None,
    weights: RunWeightsOption = "last",
    flip: FlipFlag = False,
    with_: JoinedOption = None,
    catalog: CatalogOption = None,
    hidden: Annotated[int, typer.Option(min=1, help="Units of the ranker's hidden layer.")] = 128,
    dropout: Annotated[float, typer.Option(help="Of that layer.")] = 0.5,
    loss: Annotated[str, typer.Option(help="Of two clips: logistic or margin.")] = "logistic",
    epochs: Annotated[int, typer.Option(min=1)] = 50,
    batch_size: Annotated[
        int, typer.Option(min=2, help="Clips a step, half of them oracle clips.")
    ] = 64,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 1e-3,
    weight_decay: Annotated[float, typer.Option(help="Decoupled.")] = 1e-4,
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = 2,
    workers: LoadersOption = 0,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Train a saliency ranker: features and answers for training clips -> ranker.

    Of each video the K clips of whose true class the classifier is surest are the
    oracle clips; the ranker learns to tell one of them from another clip of its video.
    """
    require_torch("posemill select train")
    from posemill.pipelines.select.ranker import RankerSettings
    from posemill.pipelines.select.train import train_ranker

    settings = RankerSettings(
        hidden=hidden,
        dropout=dropout,
        loss=cast("RankingLoss", loss),
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        seed=seed,
    )
    clips = _clips(subset, split, weights, flip, with_, catalog, device, threads, workers)
    trained = train_ranker(run, store, answers, out, keep, clips, settings)
    line = (
        f"{out}: ranker of {trained.ranker.origin.model} features, trained on "
        f"{count(trained.num_videos - trained.num_without_others, 'video')} of {subset}, "
        f"{count(keep, 'oracle clip')} each; {trained.share_in_order:.1%} of their pairs in order"
        + remark(trained.num_without_others, "video", f"of {keep} clips or fewer left out")
    )
    finish(line, trained.as_dict(), as_json=json)


def select_apply_command(
    run: RunArgument,
    store: StoreArgument,
    ranker: Annotated[Path, typer.Option(help="The ranker's folder, by `posemill select train`.")],
    answers: AnswersOption,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the videos' answers.")],
    subset: Annotated[str, typer.Option(help="The subset whose videos are answered.")] = "test",
    split: SplitOption = None,
    weights: RunWeightsOption = "last",
    flip: FlipFlag = False,
    with_: JoinedOption = None,
    catalog: CatalogOption = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="K: clips kept of each video \\[default: the ranker's]."),
    ] = None,
    consensus: Annotated[
        str, typer.Option(help="What becomes of the answers for the clips kept: mean or max.")
    ] = "mean",
    method: Annotated[
        str,
        typer.Option(
            help="Whose answers are written: saliency, dense, random, uniform or empirical."
        ),
    ] = "saliency",
    draws: Annotated[
        int, typer.Option(min=1, help="Over which random and empirical are averaged.")
    ] = 10,
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = 2,
    workers: LoadersOption = 0,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Answer videos by their most salient clips: ranker and answers for clips -> answers.

    Beside it stand the figures of other ways of choosing clips; the oracle knows the
    labels, and is what none of them can be expected to reach.
    """
    require_torch("posemill select apply")
    from posemill.pipelines.select.apply import SelectConfig, apply_ranker

    clips = _clips(subset, split, weights, flip, with_, catalog, device, threads, workers)
    config = SelectConfig(
        keep=keep,
        consensus=cast("Consensus", consensus),
        method=cast("Method", method),
        draws=draws,
        seed=seed,
    )
    comparison = apply_ranker(run, store, ranker, answers, out, clips, config)
    finish(_comparison_lines(comparison, subset, out), comparison.as_dict(), as_json=json)


def _clips(
    subset: str,
    split: str | None,
    weights: str,
    flip: bool,
    joined: list[str] | None,
    catalog: Path | None,
    device: str,
    threads: int,
    workers: int,
) -> EvaluateConfig:
    """Of which clips a run's features are asked for, and how."""
    from posemill.pipelines.evaluate import EvaluateConfig

    return EvaluateConfig(
        subset=subset,
        split=split,
        weights=cast("Weights", weights),
        flip=flip,
        catalog=catalog,
        joined=tuple(joined or ()),
        device=device,
        workers=workers,
        threads=threads,
    )


def _comparison_lines(comparison: Comparison, subset: str, out: Path) -> str:
    """A line for each method: clips of a video, the figure, and what there is to say of it."""
    figure = comparison.results[0].figure.name
    rows = [
        f"{result.method:<10}  {result.num_clips:>6.1f}  {_told(result)}"
        for result in comparison.results
    ]
    last = (
        f"{out}: answers by {comparison.written}, up to {count(comparison.keep, 'clip')} of each "
        f"of {count(comparison.num_videos, 'video')} of {subset}"
        + remark(comparison.num_whole, "video", f"of fewer than {comparison.keep} kept whole")
    )
    return "\n".join([f"{'method':<10}  {'clips':>6}  {FIGURES[figure]}", *rows, last])


def _told(result: MethodResult) -> str:
    figure = result.figure
    told = f"{figure.mean:.1%}"
    if figure.spread is not None:
        told += f" ± {100 * figure.spread:.1f} over {len(figure.values)} draws"
    return told + "  (knows the labels: a bound)" * (result.method == "oracle")
