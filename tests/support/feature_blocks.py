"""Features of whole pose shards, as a feature store takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.storage.features import Block, FeatureStore


def in_blocks(
    store: FeatureStore, arrays: Mapping[str, npt.NDArray[Any]], valid: npt.NDArray[np.bool_]
) -> Iterator[Block]:
    """The arrays (n, ...) of all n clips of a pose shard, and which are valid, cut into blocks."""
    size = store.clips_per_shard
    for first in range(0, len(valid), size):
        part = slice(first, first + size)
        yield {name: array[part] for name, array in arrays.items()}, valid[part]
