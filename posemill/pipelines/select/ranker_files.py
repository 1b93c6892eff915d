"""A saliency ranker in its folder.

::

    runs/saliency/
      ranker.pt      weights, K, where oracle clips lie, and the origin of the features
      ranker.json    how it was made, for people
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import StoreCorrupted
from posemill.models.checkpoints import (
    MODEL,
    WEIGHTS,
    dump_checkpoint,
    load_weights,
    read_checkpoint,
)
from posemill.models.saliency import SaliencyRanker
from posemill.pipelines.select.features import FeatureOrigin
from posemill.pipelines.select.histogram import PlaceHistogram
from posemill.pipelines.select.ranker import Ranker, RankerSettings
from posemill.storage.durable import disk_faults, input_faults, replace_files

RANKER = "ranker.pt"
RECORD = "ranker.json"
_NAME = "saliency-ranker"


def write_ranker(folder: Path, ranker: Ranker, record: Mapping[str, Any]) -> None:
    """Write a ranker, and how it was made, into a folder, made if it is missing.

    Raises:
        EnvironmentFault: the disk refuses.
    """
    about = {
        "settings": asdict(ranker.settings),
        "features": ranker.origin.as_dict(),
        "keep": ranker.keep,
    }
    state = {
        MODEL: {"name": _NAME, **about},
        WEIGHTS: ranker.network.state_dict(),
        "places": ranker.histogram.cumulative.tolist(),
    }
    told = json.dumps({**about, **record}, indent=2) + "\n"
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        replace_files(folder, {RANKER: dump_checkpoint(state), RECORD: told.encode()})


def read_ranker(folder: Path) -> Ranker:
    """The inverse of `write_ranker`, but for the record.

    Raises:
        InputError: there is none.
        StoreCorrupted: it is damaged.
    """
    path = folder / RANKER
    with input_faults(path, "Make a ranker with `posemill select train` first."):
        content = path.read_bytes()
    state = read_checkpoint(content, str(path))
    try:
        return _ranker(state, str(path))
    except (KeyError, TypeError) as error:
        raise StoreCorrupted(
            f"{path} holds no saliency ranker ({type(error).__name__}: {error}); make one with "
            "`posemill select train`"
        ) from error


def _ranker(state: Mapping[str, Any], origin: str) -> Ranker:
    about = state[MODEL]
    settings = RankerSettings(**about["settings"])
    num_features = len(state[WEIGHTS]["mean"])
    network = SaliencyRanker(num_features, settings.hidden, settings.dropout)
    load_weights(network, state, origin)
    return Ranker(
        network,
        settings,
        FeatureOrigin(**about["features"]),
        about["keep"],
        PlaceHistogram(np.array(state["places"])),
    )
