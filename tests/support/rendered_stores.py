"""Feature stores of what a source renders, without a run of `materialize`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from feature_blocks import in_blocks

from posemill.pipelines.data.clips import ClipSet
from posemill.pipelines.data.rendered import RenderedSource
from posemill.pipelines.data.sources import open_source
from posemill.storage.features import FeatureStore


def render_store(poses: Path, out: Path, recipe: str, **settings: str) -> Path:
    """All clips of a pose store of one shard by `recipe`, at `out`."""
    source = open_source(poses, recipe, settings)
    assert isinstance(source, RenderedSource)
    store = FeatureStore.create(out, source.specs, source.configuration, source.classes)
    rows = [row for row in source.table.rows if row is not None]
    store.add_rows(rows)
    clips, rng = ClipSet.of(rows, 0), np.random.default_rng(0)
    read = [source.read(clips, number, rng) for number in range(len(clips))]
    arrays = {spec.name: np.stack([each[spec.name] for each in read]) for spec in source.specs}
    store.write_shard(0, "0" * 64, in_blocks(store, arrays, np.ones(len(rows), np.bool_)))
    return out
