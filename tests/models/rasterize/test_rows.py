"""People some at a time: every one once, and never more than fits."""

from __future__ import annotations

import numpy as np
import pytest
from placed_clips import placed_clip

torch = pytest.importorskip("torch")

from posemill.models.rasterize import collate_placed  # noqa: E402
from posemill.models.rasterize.rows import blocks, cut_rows  # noqa: E402


def test_rows_are_cut_where_their_cost_is_reached() -> None:
    cost = np.array([1, 2, 3, 9, 1, 1])
    assert list(cut_rows(cost, 3)) == [(0, 2), (2, 3), (3, 4), (4, 6)]
    assert list(cut_rows(cost, 100)) == [(0, 6)]
    assert list(cut_rows(cost[:0], 3)) == []


def test_everybody_is_in_one_block_with_their_frame_and_clip() -> None:
    clips = [placed_clip([2, 0, 1]), placed_clip([]), placed_clip([0, 3], valid_hw=(20, 9))]
    rows = list(blocks(collate_placed(clips), pixels_each=10, pixels_at_once=25))
    assert [len(each.number) for each in rows] == [2, 2, 2]
    assert torch.cat([each.frame for each in rows]).tolist() == [0, 0, 2, 4, 4, 4]
    assert torch.cat([each.clip for each in rows]).tolist() == [0, 0, 0, 2, 2, 2]
    assert torch.cat([each.limit for each in rows]).tolist() == [[28, 20]] * 3 + [[9, 20]] * 3
