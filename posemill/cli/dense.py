"""The options of `extract` about an estimator's dense maps."""

from __future__ import annotations

from typing import Annotated, cast, get_args

import typer

from posemill.cli.options import size
from posemill.errors import InputError
from posemill.pipelines.dense_forecast import DenseForecast
from posemill.transforms.sample import DenseKind

KeepOption = Annotated[
    str,
    typer.Option(
        metavar="KINDS",
        help="Keep the estimator's own maps of every frame beside the poses, in float16: any of "
        "joints,parts,features. 10 kB to 4 MB a frame before compression: --dry-run tells.",
    ),
]
ScalesOption = Annotated[
    str,
    typer.Option(
        metavar="FACTORS",
        help="Average the kept maps over sizes of the input, such as 0.5,1,1.5,2: takes that "
        "many passes, here 7.5 times the work. Poses come from 1 alone.",
    ),
]


def dense_kinds(text: str) -> frozenset[DenseKind]:
    """Of `--keep`.

    Raises:
        InputError: an unknown kind.
    """
    known = get_args(DenseKind)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in known]:
        raise InputError(
            f"--keep {text}: there are no dense maps {', '.join(map(repr, unknown))}; expected "
            f"any of {','.join(known)}"
        )
    return frozenset(cast(DenseKind, name) for name in names)


def input_scales(text: str, keep: frozenset[DenseKind]) -> tuple[float, ...]:
    """Of `--scales`.

    Raises:
        InputError: no numbers above 0, 1 is not among them, one is given twice, or there are
            others and no maps to be kept.
    """
    try:
        scales = tuple(float(part) for part in text.split(","))
    except ValueError:
        scales = ()
    if 1.0 not in scales or not all(0.0 < scale < 100.0 for scale in scales):
        raise InputError(
            f"--scales {text}: expected numbers above 0 with 1 among them, such as 0.5,1,1.5,2"
        )
    if len(set(scales)) != len(scales):
        raise InputError(f"--scales {text}: expected each once")
    if scales != (1.0,) and not keep:
        raise InputError(
            f"--scales {text}: only dense maps are averaged over scales; name those to keep "
            "with --keep, or leave out --scales"
        )
    return scales


def dense_line(dense: DenseForecast) -> str:
    """What `--dry-run` tells of the maps."""
    shapes = ", ".join(
        f"{kind} {' x '.join(map(str, shape))}" for kind, shape in dense.shapes.items()
    )
    rate = "measured" if dense.frames_are_measured else "assumed"
    width, height = dense.size_wh
    known = (
        "compressed, as measured in this store"
        if dense.measured_bytes is not None
        else f"before compression, of assumed frames of {width} x {height} px ({shapes})"
    )
    return (
        f"\ndense maps: {size(dense.num_bytes)} for {dense.num_frames:,.0f} frames (their "
        f"rate is {rate}), {size(dense.bytes_per_frame)} each {known}"
    )
