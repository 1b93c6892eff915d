"""Broken videos in batches, among whole ones, and what `extract` makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from chain import index
from mutate_video import mutate
from video_makers import Film, shoot

from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.decode.settings import DecodeSettings
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.events import Event
from posemill.pipelines.extract import ExtractConfig, extract
from posemill.pipelines.supervise import Limits
from posemill.schema import VideoStatus
from posemill.storage.poses import VideoEntry
from posemill.storage.video import FrameOptions

LIMITS = Limits(
    item_seconds=30.0, item_seconds_per_cost=1.0, silence_seconds=20.0, memory_bytes=2**30
)
FILMS: Mapping[str, Film] = {
    "mp4_h264.mp4": Film(frames=16, options={"bf": "2", "g": "6"}),
    "mp4_mpeg4.mp4": Film(frames=16, codec="mpeg4"),
    "mp4_fragments.mp4": Film(frames=16, container={"movflags": "frag_keyframe+empty_moov"}),
    "mov_hevc.mov": Film(frames=12, codec="libx265"),
    "mkv_h264.mkv": Film(frames=16),
    "webm_vp9.webm": Film(frames=16, codec="libvpx-vp9"),
    "avi_mpeg4.avi": Film(frames=16, codec="mpeg4", options={"bf": "1"}),
    "avi_mjpeg.avi": Film(frames=12, codec="mjpeg", pix_fmt="yuvj420p"),
    "ts_h264.ts": Film(frames=16),
    "mpg_mpeg2.mpg": Film(frames=25, fps=25, codec="mpeg2video"),
    "flv_h264.flv": Film(frames=16),
    "wmv_wmv2.wmv": Film(frames=16, codec="wmv2"),
    "ogv_vp8.ogv": Film(frames=16, codec="libvpx"),
}
"""What is broken: every format that may be opened, and the common codecs."""
_MUTANTS_PER_NEIGHBOUR = 8
_VIDEOS_PER_SHARD = 48


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a broken file was made; the same numbers make it again."""

    seed: int
    number: int
    film: str
    kind: str
    edits: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A folder of videos, by id."""

    folder: Path
    mutants: Mapping[str, Recipe]
    neighbours: Mapping[str, str]
    """Whole ones, to their films."""


def shoot_films(folder: Path) -> dict[str, bytes]:
    """The bytes of every film."""
    folder.mkdir()
    return {name: shoot(folder / name, film).path.read_bytes() for name, film in FILMS.items()}


def break_one(seed: int, number: int, films: Mapping[str, bytes]) -> tuple[bytes, Recipe]:
    rng = np.random.default_rng([seed, number])
    names = list(films)
    film = names[rng.integers(len(names))]
    mutant = mutate(films[film], list(films.values()), rng)
    return mutant.data, Recipe(seed, number, film, mutant.kind, mutant.edits)


def write_batch(
    folder: Path, seed: int, numbers: Iterable[int], films: Mapping[str, bytes]
) -> Batch:
    """Broken files of these numbers, and after every eighth of them a whole one."""
    folder.mkdir()
    names = list(films)
    mutants, neighbours = dict[str, Recipe](), dict[str, str]()
    for place, number in enumerate(numbers):
        data, recipe = break_one(seed, number, films)
        mutants[f"{number:07}"] = recipe
        (folder / f"{number:07}{Path(recipe.film).suffix}").write_bytes(data)
        if place % _MUTANTS_PER_NEIGHBOUR == 0:
            film = names[place // _MUTANTS_PER_NEIGHBOUR % len(names)]
            neighbours[f"{number:07}_whole"] = film
            (folder / f"{number:07}_whole{Path(film).suffix}").write_bytes(films[film])
    return Batch(folder, mutants, neighbours)


def run(folder: Path, out: Path, decoder: str, on_event: Callable[[Event], None]) -> None:
    """Extract a folder's videos with the estimator `brightness`."""
    config = ExtractConfig(
        catalog=index(folder, out.with_suffix(".catalog")),
        out=out,
        estimator="brightness",
        options=EstimatorOptions(reproducible=True),
        engine_options=EngineOptions(workers=2),
        limits=LIMITS,
        decoding=DecodeSettings(frames=FrameOptions(decoder=decoder)),
        max_quarantined=1.0,
        videos_per_shard=_VIDEOS_PER_SHARD,
    )
    extract(config, on_event)


def outcome(entry: VideoEntry) -> str:
    """The status, or why it is quarantined."""
    return entry.reason if entry.status is VideoStatus.QUARANTINED else str(entry.status)


def table(outcomes: Mapping[Recipe, str]) -> str:
    """How many ended how, by film and by kind of mutation."""
    columns = sorted(set(outcomes.values()))
    by_film = Counter((Path(recipe.film).stem, ended) for recipe, ended in outcomes.items())
    by_kind = Counter((recipe.kind, ended) for recipe, ended in outcomes.items())
    totals = Counter(("all", ended) for ended in outcomes.values())
    lines = [_line("", columns)]
    for counts in (by_film, by_kind, totals):
        names = sorted({name for name, _ in counts})
        lines += [_line(name, [counts[name, column] for column in columns]) for name in names]
    return "\n".join(lines)


def _line(name: str, cells: Iterable[object]) -> str:
    return f"{name:16}" + "".join(f"{cell!s:>12}" for cell in cells)
