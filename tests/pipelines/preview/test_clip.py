"""Values of a clip, by the names of their axes."""

import numpy as np

from posemill.pipelines.preview.clip import NamedArray, clip_features
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.skeletons import COCO_17

ARRAY = NamedArray(("view", "x", "time"), np.arange(24, dtype=np.float32).reshape(2, 3, 4))


def test_axes_come_as_asked_for() -> None:
    np.testing.assert_array_equal(ARRAY.arranged("time", "x"), ARRAY.values[0].T)
    assert ARRAY.arranged("time", "person", "x").shape == (4, 1, 3)
    assert ARRAY.arranged("time")[3] == ARRAY.values[0, 0, 3]
    assert (ARRAY.size("time"), ARRAY.size("person")) == (4, 1)


def test_a_clip_has_values_names_of_its_times_and_what_the_store_was_made_by() -> None:
    maps = OutputSpec("maps", ("view", "time"), (2, 3), "uint8", scale_factor=0.5, add_offset=1.0)
    index = OutputSpec("frame_index", ("view", "time"), (2, 3), "int32")
    stored = {
        "maps": np.array([[0, 1, 2], [9, 9, 9]], np.uint8),
        "frame_index": np.array([[4, 8, 15], [16, 23, 42]], np.int32),
    }
    configuration = {"skeleton": "coco-17", "recipe": {"settings": {"space": "2d"}}}
    clip = clip_features("maps", (maps, index), stored, configuration)
    np.testing.assert_array_equal(clip.array.arranged("time"), [1.0, 1.5, 2.0])
    assert clip.time_names() == ["t 0, frame 4", "t 1, frame 8", "t 2, frame 15"]
    assert clip.skeleton == COCO_17
    assert clip.setting("space") == "2d"
    assert clip.setting("stream") is None


def test_of_a_bare_store_the_values_are_known() -> None:
    maps = OutputSpec("maps", ("time",), (2,), "float32")
    clip = clip_features("maps", (maps,), {"maps": np.ones(2, np.float32)}, {})
    assert (clip.skeleton, clip.score, clip.setting("space")) == (None, None, None)
    assert clip.time_names() == ["t 0", "t 1"]
