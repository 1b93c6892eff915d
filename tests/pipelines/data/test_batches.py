"""Batches on their way to the device: stored numbers as values, equal to numpy's."""

import numpy as np
import pytest
import torch

from posemill.pipelines.data.batches import Item, collate, dequantise
from posemill.transforms import outputs
from posemill.transforms.outputs import OutputSpec

SPECS = (
    OutputSpec("u", ("x",), (4,), "uint8", scale_factor=1 / 255),
    OutputSpec("p", ("x",), (4,), "float16"),
    OutputSpec("shifted", ("x",), (4,), "int16", scale_factor=0.5, add_offset=-3.0),
    OutputSpec("wide", ("x",), (4,), "float32", scale_factor=2.0),
)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_values_equal_the_transforms(spec: OutputSpec) -> None:
    stored = np.random.default_rng(0).integers(0, 100, (3, 4)).astype(spec.dtype)
    kept = stored.copy()
    values = dequantise({spec.name: torch.from_numpy(stored)}, SPECS, "cpu")[spec.name]
    assert values.dtype == torch.float32
    np.testing.assert_array_equal(values.numpy(), outputs.dequantise(stored, spec))
    np.testing.assert_array_equal(stored, kept)


def test_a_batch_has_numbers_labels_and_stored_dtypes() -> None:
    items = [
        Item({"u": np.full((2, 3), n, np.uint8), "t": np.array(n, np.int32)}, (n, 2), n, n == 1)
        for n in (0, 1)
    ]
    batch = collate(items, 2, None)
    assert batch.arrays["u"].dtype == torch.uint8
    assert batch.arrays["u"].tolist() == [[[0] * 3] * 2, [[1] * 3] * 2]
    assert batch.arrays["t"].tolist() == [0, 1]
    assert (batch.labels.tolist(), batch.labels.dtype) == ([0, 1], torch.int64)
    assert (batch.number.tolist(), batch.empty.tolist()) == ([0, 1], [False, True])
    assert collate(items, 2, 4).labels.tolist() == [[1, 0, 1, 0], [0, 1, 1, 0]]
    for wrong in (items[:1], []):
        with pytest.raises(ValueError, match="expected 2 clips for a batch"):
            collate(wrong, 2, None)
