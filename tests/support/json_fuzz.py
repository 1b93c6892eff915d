"""Good JSON made bad at random, and what may become of it: poses, or an error naming the file."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from posemill.errors import UnreadablePoses
from posemill.pipelines.import_sequence import to_sequence
from posemill.pipelines.import_settings import ImportSettings
from posemill.storage.formats.base import PoseFormat

ODD: list[Any] = [
    *(None, True, "", "1", "0.jpg", -1, 0, 1, 1.5, 2**70, 1e400, float("nan"), [], {}),
    *([[]], [0.0] * 51, {"people": []}, {"id": 1}),
]


@st.composite
def mutated(draw: st.DrawFn, good: Any) -> bytes:
    """Bytes of `good` with parts of it lost, replaced, twice there, or garbled as text."""
    value = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(0, 3))):
        _change(draw, value)
    data = json.dumps(value).encode()
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.integers(0, 20)))
        data = data[:start] + draw(st.binary(max_size=4)) + data[stop:]
    return data


def _change(draw: st.DrawFn, value: Any) -> None:
    """Go down to some container, then change one of its values."""
    while True:
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if not isinstance(value[key], list | dict) or draw(st.integers(0, 3)) == 0:
            break
        value = value[key]
    match draw(st.integers(0, 2)):
        case 0:
            del value[key]
        case 1 if isinstance(value, list):
            value.append(deepcopy(value[key]))
        case _:
            value[key] = deepcopy(draw(st.sampled_from(ODD)))


def read_or_refused(given: PoseFormat, root: Path) -> None:
    """Every source below `root` is read, or refused by the name of a file there."""
    size_wh = None if given.tells_size else (640, 480)
    settings = ImportSettings(given, size_wh, None if given.tells_fps else 25.0)
    for source in given.find(root):
        assert given.look(source.uri).num_bytes >= 0
        try:
            found = given.read(source.uri)
        except UnreadablePoses as error:
            assert str(root) in str(error), error  # noqa: PT017 - one of two fair ends
            continue
        try:
            poses = to_sequence(found, settings)
        except UnreadablePoses:
            continue
        assert poses.num_frames == found.num_frames
        assert poses.num_rows == len(found.score)
