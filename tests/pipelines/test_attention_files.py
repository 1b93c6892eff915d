"""The weights that an evaluation keeps: read as they were written, else refused in one line."""

import io
from pathlib import Path

import numpy as np
import pytest

from posemill.errors import InputError, StoreCorrupted
from posemill.pipelines.evaluations import attention_path, read_attention, write_attention

PLACES = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
IDS = np.array(["a", "b"])


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_attention(tmp_path, "test", ["a", "b"], {"places": PLACES, "time": 2 * PLACES})
    found = read_attention(tmp_path, "test")
    assert found.clip_ids == ("a", "b")
    assert found.num_views == 3
    assert list(found.weights) == ["places", "time"]
    np.testing.assert_array_equal(found.weights["time"], 2 * PLACES)
    with pytest.raises(InputError, match=r"no attention-val.npz; keep them with .* --attention"):
        read_attention(tmp_path, "val")


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"places": PLACES}, "expected the ids of clips as 'clip_id'"),
        ({"clip_id": np.arange(2), "places": PLACES}, "expected the ids of clips"),
        ({"clip_id": IDS}, "2 clips and 0 kinds of weights"),
        ({"clip_id": np.array(["a", "a"]), "places": PLACES}, "some twice"),
        ({"clip_id": IDS[:1], "places": PLACES}, "'places' are of 2 clips, and it has 1"),
        ({"clip_id": IDS, "places": PLACES.astype("f8")}, r"are float64 \(2, 3, 4\)"),
        ({"clip_id": IDS, "places": PLACES[0, 0, :2]}, r"float32 \(2,\), not"),
        ({"clip_id": IDS, "places": PLACES[:, :, :0]}, r"float32 \(2, 3, 0\), not"),
        ({"clip_id": IDS, "places": np.full_like(PLACES, np.nan)}, "not all finite"),
        ({"clip_id": IDS, "a": PLACES, "b": PLACES[:, :2]}, "views: a 3, b 2"),
        ({"clip_id": IDS, "places": np.array([[[{}]]] * 2)}, "no file of named arrays"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], told: str) -> None:
    np.savez(attention_path(tmp_path, "test"), **arrays)
    with pytest.raises(StoreCorrupted, match=told) as refused:
        read_attention(tmp_path, "test")
    assert "\n" not in str(refused.value)


def test_other_and_damaged_files_are_refused(tmp_path: Path) -> None:
    write_attention(tmp_path, "test", ["a", "b"], {"places": PLACES})
    path = attention_path(tmp_path, "test")
    whole, lone = path.read_bytes(), io.BytesIO()
    np.save(lone, PLACES)
    for content in (b"", b"not a zip", lone.getvalue(), whole[:-30], whole[40:]):
        path.write_bytes(content)
        with pytest.raises(StoreCorrupted, match="no file of named arrays"):
            read_attention(tmp_path, "test")


def test_a_changed_byte_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    write_attention(tmp_path, "test", ["a", "b"], {"places": PLACES})
    path = attention_path(tmp_path, "test")
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            found = read_attention(tmp_path, "test")
        except StoreCorrupted:
            refused += 1
        else:
            np.testing.assert_array_equal(next(iter(found.weights.values())), PLACES)
    assert refused > 20
