"""Annotations that were changed at random: read, or refused by name; nothing else may happen."""

from __future__ import annotations

from pathlib import Path

from dataset_files import index
from hypothesis import strategies as st

from posemill.errors import InputError

PIECES = ("", ",", ";", " ", "\n", "\r", "\t", '"', "/", "..", "-1", "nan", "1e999", "\x00", "é")


@st.composite
def changed(draw: st.DrawFn, text: str) -> bytes:
    """`text` with a few cuts and insertions, or bytes that are no text."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.sampled_from([0, 0, 1, 3, 20])))
        text = text[:start] + draw(st.sampled_from(PIECES) | st.text(max_size=3)) + text[stop:]
    return text.encode("utf-8", "surrogatepass") + draw(st.just(b"") | st.binary(max_size=4))


def read_or_refused(name: str, notes: Path, videos: Path, **settings: str) -> None:
    """Index a dataset; an error that is refused names a place below `notes` or `videos`."""
    catalog, told = None, ""
    try:
        catalog = index(name, notes, videos=videos, **settings).catalog
    except InputError as error:
        told = str(error)
    if catalog is None:
        assert str(notes) in told or str(videos) in told
    else:
        assert {clip.video_id for clip in catalog.clips} == {video.id for video in catalog.videos}
