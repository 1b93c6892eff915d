from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from posemill.storage.exports.pickle_stream import PickleStream

PLAIN = st.recursive(
    st.integers(-(2**31), 2**31 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text("ab"), inner)
    ),
    max_leaves=12,
)
ARRAYS = hnp.arrays(
    st.sampled_from([np.float16, np.float32, np.int64, ">f4"]), hnp.array_shapes(max_dims=4)
)


def pickled(values: list[Any], last: Any) -> Any:
    file = io.BytesIO()
    stream = PickleStream(file)
    stream.begin_list("values")
    for value in values:
        stream.append(value)
    stream.end_list()
    stream.item("last", last)
    stream.finish()
    return pickle.loads(file.getvalue())  # noqa: S301


@given(st.lists(PLAIN), PLAIN)
def test_plain_values_are_loaded_as_they_were(values: list[Any], last: Any) -> None:
    assert pickled(values, last) == {"values": values, "last": last}


@given(st.lists(ARRAYS, max_size=3))
def test_arrays_are_loaded_writable_bit_for_bit(arrays: list[np.ndarray]) -> None:
    found = pickled(arrays, 0)["values"]
    for one, other in zip(arrays, found, strict=True):
        assert (one.shape, one.dtype.newbyteorder("=")) == (other.shape, other.dtype)
        assert one.astype(one.dtype.newbyteorder("=")).tobytes() == other.tobytes()
        assert other.flags.writeable


def test_arrays_without_elements_or_dimensions_keep_their_shape() -> None:
    empty, single = pickled([np.zeros((0, 3), "f2"), np.array(2, "f4")], 0)["values"]
    assert (empty.shape, single.shape, single[()]) == ((0, 3), (), 2)


@pytest.mark.parametrize(
    ("value", "error"), [(2**31, OverflowError), (True, TypeError), (0.5, TypeError)]
)
def test_what_it_cannot_write_it_refuses(value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        pickled([value], 0)
