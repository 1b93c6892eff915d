"""What a feature store holds, as pictures of its clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from posemill.errors import InputError
from posemill.pipelines.drawing import file_name, write_png
from posemill.pipelines.preview.clip import BESIDE, clip_features
from posemill.pipelines.preview.kinds import KINDS, Kind, find_kind
from posemill.pipelines.preview.sheets import Drawing, sheet, spread
from posemill.schema import UInt8
from posemill.storage.features import FeatureRow, FeatureStore
from posemill.storage.objects import Place
from posemill.transforms.outputs import OutputSpec

_TIMES = 6

Clips = Sequence[tuple[int, FeatureRow]]
"""Row numbers and rows."""


def preview_features(features: Place, out_dir: Path, limit: int = 24) -> list[Path]:
    """PNGs of up to `limit` clips, spread evenly over the classes.

    The first output that can be drawn is: maps that show all of a clip (PoTion,
    JMRN) for all clips on one sheet; what is sampled over time as a sheet for
    each clip, at six times. Below each is what the colours mean.

    Raises:
        InputError: no such store, nothing in it yet, or nothing that can be drawn.
        EnvironmentFault: the pictures cannot be written.
    """
    if limit < 1:
        raise InputError(f"a preview needs at least 1 clip, got {limit}")
    store = FeatureStore.open(features)
    clips = _choose_clips(store, limit)
    spec, kind = _drawable(store)
    if kind.together:
        return [write_png(out_dir / f"{spec.name}.png", _sheet_of_all(store, spec, kind, clips))]
    paths = []
    for number, row in clips:
        drawn = _sheet_of_one(store, spec, kind, number, row)
        paths.append(write_png(out_dir / file_name(row.clip_id, ".png"), drawn))
    return paths


def _choose_clips(store: FeatureStore, limit: int) -> Clips:
    """Up to `limit` clips, ordered by class."""
    valid = store.valid()
    rows = [(n, row) for n, row in enumerate(store.rows()) if row is not None and valid[n]]
    if not rows:
        raise InputError(f"{store.url} holds no features yet; materialize some first")
    rows.sort(key=lambda item: item[1].label)
    return [rows[place] for place in spread(len(rows), limit)]


def _drawable(store: FeatureStore) -> tuple[OutputSpec, Kind]:
    for spec in store.specs:
        kind = find_kind(spec)
        if kind is not None:
            return spec, kind
    held = ", ".join(f"{spec.name} {spec.dims}" for spec in store.specs)
    known = "; ".join(sorted({", ".join(sorted(kind.dims)) for kind in KINDS}))
    raise InputError(
        f"{store.url}: it holds: {held}. What can be drawn has the dimensions, beside view and "
        f"person or role: {known}"
    )


def _sheet_of_all(store: FeatureStore, spec: OutputSpec, kind: Kind, clips: Clips) -> UInt8:
    drawings = [_draw(store, spec, kind, number) for number, _ in clips]
    cells = [
        replace(cell, caption=_joined(cell.caption, _clip_caption(store, row)))
        for drawing, (_, row) in zip(drawings, clips, strict=True)
        for cell in drawing.cells
    ]
    columns = _whole_clips(len(drawings[0].cells), drawings[0].columns)
    return sheet(
        f"{spec.name}: {drawings[0].about}", cells, columns, drawings[0].key, spec.description
    )


def _sheet_of_one(
    store: FeatureStore, spec: OutputSpec, kind: Kind, number: int, row: FeatureRow
) -> UInt8:
    drawing = _draw(store, spec, kind, number)
    title = _joined(f"{spec.name} of {_clip_caption(store, row)}", drawing.about)
    return sheet(title, drawing.cells, drawing.columns, drawing.key, spec.description)


def _draw(store: FeatureStore, spec: OutputSpec, kind: Kind, number: int) -> Drawing:
    names = {spec.name, *BESIDE}
    stored = {
        other.name: store.read(other.name, number) for other in store.specs if other.name in names
    }
    clip = clip_features(spec.name, store.specs, stored, store.configuration)
    return kind.draw(clip, spread(clip.array.size(clip.time_dim), _TIMES))


def _whole_clips(cells_of_clip: int, columns: int) -> int:
    """Pictures in a row, so that those of a clip stand side by side."""
    return max(columns // cells_of_clip, 1) * cells_of_clip


def _clip_caption(store: FeatureStore, row: FeatureRow) -> str:
    name = store.classes[row.label] if row.label >= 0 else "no label"
    return f"{name}: {row.clip_id}"


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))
