"""`rtmo` and `yolo-pose` from frames to keypoints, with small networks that really run."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posemill.errors import InputError, WeightsUnavailable
from posemill.models.estimators.base import CPU_BATCH, EstimatorOptions, Persons
from posemill.models.estimators.onnx.estimator import (
    OnnxEstimator,
    create_rtmo,
    create_yolo_pose,
)
from posemill.schema import UInt8

pytest.importorskip("onnx", reason="builds ONNX files")
pytest.importorskip("onnxruntime", reason="runs them")

from onnx import ModelProto
from onnx_networks import (
    KEYPOINT_OFFSETS,
    VISIBILITY,
    network,
    rtmo,
    saved,
    yolo_cells,
    yolo_people,
)

KINDS: list[tuple[Callable[..., OnnxEstimator], Callable[..., ModelProto]]] = [
    (create_rtmo, rtmo),
    (create_yolo_pose, yolo_cells),
    (create_yolo_pose, yolo_people),
]
SIZES = [(96, 64), (192, 128), (48, 32), (300, 100), (50, 130), (1, 1), (96, 64)]


def built(
    path: Path,
    create: Callable[[EstimatorOptions], OnnxEstimator],
    model: ModelProto,
    **options: object,
) -> OnnxEstimator:
    return create(EstimatorOptions(weights=saved(model, path / "net.onnx"), **options))


def frame(size_wh: tuple[int, int], *dots: tuple[float, float] | None, peak: float = 255) -> UInt8:
    """Black, with a soft dot in each colour channel around (x, y), wide enough that no scaling
    of these tests moves its centroid."""
    width, height = size_wh
    ys, xs = np.mgrid[:height, :width]
    sigma = 2.5 * max(width / 96, height / 64)
    picture = np.zeros((height, width, 3), np.uint8)
    for channel, dot in enumerate(dots):
        if dot is not None:
            distance = np.hypot(xs - dot[0], ys - dot[1]) / sigma
            picture[..., channel] = np.rint(peak * np.exp(-(distance**2) / 2))
    return picture


def people(estimator: OnnxEstimator, frames: list[UInt8]) -> list[Persons]:
    return [result.persons for result in estimator.results(frames)]


def assert_person(
    persons: Persons, number: int, dot: tuple[float, float], scale: tuple[float, float] = (1, 1)
) -> None:
    """Keypoints around the dot, `scale` source pixels a network pixel."""
    wanted = dot + KEYPOINT_OFFSETS * scale
    np.testing.assert_allclose(persons.xy_px[number], wanted, atol=0.03 * max(scale))


@pytest.mark.parametrize(("create", "model"), KINDS)
@pytest.mark.parametrize("size", [(96, 64), (192, 128), (48, 32), (300, 100), (50, 130)])
def test_dots_become_people_at_their_place_in_source_pixels(
    tmp_path: Path,
    create: Callable[..., OnnxEstimator],
    model: Callable[..., ModelProto],
    size: tuple[int, int],
) -> None:
    """The visibility tells the channel that a dot came in: RGB, or BGR the other way round."""
    estimator = built(tmp_path, create, model())
    (width, height), resized = size, estimator.preprocess([frame(size)])[1][0].resized
    scale = (width / resized[0], height / resized[1])
    dots = [(width * 0.2, height * 0.25), (width * 0.5, height * 0.5), (width * 0.8, height * 0.7)]
    [persons] = people(estimator, [frame(size, *dots)])
    order = VISIBILITY if create is create_yolo_pose else VISIBILITY[::-1]
    assert len(persons.score) == 3
    by_visibility = {float(score[0]): number for number, score in enumerate(persons.score)}
    for dot, visibility in zip(dots, order, strict=True):
        assert_person(persons, by_visibility[visibility], dot, scale)


@pytest.mark.parametrize(("create", "model"), KINDS)
def test_a_batch_of_mixed_sizes_gives_what_each_frame_gives_alone(
    tmp_path: Path, create: Callable[..., OnnxEstimator], model: Callable[..., ModelProto]
) -> None:
    estimator = built(tmp_path, create, model())
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (height, width, 3), np.uint8) for width, height in SIZES]
    together = people(estimator, frames)
    assert estimator.spec.max_batch == CPU_BATCH < len(frames)
    assert sum(len(persons.score) for persons in together) > 0
    for alone, batched in zip(frames, together, strict=True):
        [single] = people(estimator, [alone])
        np.testing.assert_allclose(single.xy_px, batched.xy_px, atol=1 / 16)
        np.testing.assert_allclose(single.score, batched.score, atol=1e-6)


@pytest.mark.parametrize(("create", "model"), KINDS)
@pytest.mark.parametrize("shape", ["N,3,64,96", "1,3,64,96", "3,3,64,96"])
def test_reproducible_results_are_equal_to_the_bit_for_any_split(
    tmp_path: Path,
    create: Callable[..., OnnxEstimator],
    model: Callable[..., ModelProto],
    shape: str,
) -> None:
    estimator = built(tmp_path, create, model(shape), reproducible=True)
    assert estimator.spec.max_batch == 1
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 256, (40, 60, 3), np.uint8) for _ in range(4)]
    for alone, batched in zip(frames, people(estimator, frames), strict=True):
        [single] = people(estimator, [alone])
        np.testing.assert_array_equal(single.xy_px, batched.xy_px)
        np.testing.assert_array_equal(single.score, batched.score)


@pytest.mark.parametrize(("shape", "batch"), [("1,3,64,96", 1), ("3,3,64,96", 3)])
def test_a_fixed_batch_is_filled_up(tmp_path: Path, shape: str, batch: int) -> None:
    estimator = built(tmp_path, create_rtmo, rtmo(shape))
    assert estimator.spec.max_batch == batch
    dots = [(15.0 * number + 10, 30.0) for number in range(5)]
    for dot, persons in zip(
        dots, people(estimator, [frame((96, 64), dot) for dot in dots]), strict=True
    ):
        assert len(persons.score) == 1
        assert_person(persons, 0, dot)


def test_a_network_whose_open_batch_holds_one_only_gets_one(tmp_path: Path) -> None:
    """As an export does that reshapes to the batch it was made with."""
    nodes = """
        shape = Constant<value_ints = [1, -1]>()
        flat = Reshape(x, shape)
        some = Constant<value_ints = [57]>()
        begin = Constant<value_ints = [0]>()
        axis = Constant<value_ints = [1]>()
        cut = Slice(flat, begin, some, axis)
        row = Constant<value_ints = [1, 1, 57]>()
        y = Reshape(cut, row)
    """
    model = network("float[N,3,64,96] x", "float[A,P,57] y", nodes)
    assert built(tmp_path, create_yolo_pose, model).spec.max_batch == 1


def test_an_open_size_takes_rectangles_where_the_family_does(tmp_path: Path) -> None:
    estimator = built(
        tmp_path, create_yolo_pose, yolo_cells("N,3,H,W"), parameters={"long_edge": "128"}
    )
    assert estimator.bucket((1920, 1080)) == (128, 96)
    assert estimator.bucket((100, 400)) == (32, 128)
    wide, tall = people(estimator, [frame((192, 96), (60, 40)), frame((64, 256), (20, 200))])
    assert_person(wide, 0, (60, 40), (1.5, 1.5))
    assert_person(tall, 0, (20, 200), (2, 2))
    square = built(tmp_path, create_rtmo, rtmo("N,3,H,W"))
    assert square.bucket((1920, 1080)) == square.bucket((9, 9)) == (640, 640)


@pytest.mark.parametrize(("create", "model"), KINDS[:2])
def test_two_people_in_one_place_are_one_and_a_faint_one_is_none(
    tmp_path: Path, create: Callable[..., OnnxEstimator], model: Callable[..., ModelProto]
) -> None:
    """Boxes of 16 x 16, one column apart, share 15 of 17: .88. Green is at
    (142 - 127.5) / 127.5 = .11 of the way to white, less than both families ask for."""
    estimator = built(tmp_path, create, model())
    picture = frame((96, 64), (30, 20)) | frame((96, 64), None, None, (31, 20), peak=240)
    picture |= frame((96, 64), None, (70, 40), peak=142)
    [persons] = people(estimator, [picture])
    assert len(persons.score) == 1
    assert_person(persons, 0, (30, 20))
    all_of_them = built(
        tmp_path, create, model(), parameters={"min_score": "0.1", "max_overlap": 1}
    )
    assert len(people(all_of_them, [picture])[0].score) == 3


def test_frames_without_people(tmp_path: Path) -> None:
    estimator = built(tmp_path, create_rtmo, rtmo())
    for persons in people(estimator, [frame((96, 64)), np.full((1, 1, 3), 127, np.uint8)]):
        assert persons.xy_px.shape == (0, 17, 2)


def test_the_decoder_works_in_another_process(tmp_path: Path) -> None:
    estimator = built(tmp_path, create_rtmo, rtmo())
    batch, [meta] = estimator.preprocess([frame((96, 64), (20, 20))])
    [raw] = estimator.infer(batch)
    there = pickle.loads(pickle.dumps(estimator.decoder))  # noqa: S301 (our own)
    sent = pickle.loads(pickle.dumps((raw, meta)))  # noqa: S301 (our own)
    np.testing.assert_array_equal(
        there(*sent).persons.xy_px, estimator.decoder(raw, meta).persons.xy_px
    )


def test_the_fingerprint_changes_with_weights_and_parameters_and_not_with_the_place(
    tmp_path: Path,
) -> None:
    first = built(tmp_path, create_yolo_pose, yolo_cells("N,3,H,W"))
    (tmp_path / "other").mkdir()
    again = built(tmp_path / "other", create_yolo_pose, yolo_cells("N,3,H,W"))
    assert first.fingerprint() == again.fingerprint()
    others = [
        built(tmp_path, create_yolo_pose, yolo_people("N,3,H,W")),
        built(tmp_path, create_yolo_pose, yolo_cells("N,3,H,W"), parameters={"min_score": 0.5}),
        built(tmp_path, create_yolo_pose, yolo_cells("N,3,H,W"), parameters={"max_overlap": 0.5}),
        built(tmp_path, create_yolo_pose, yolo_cells("N,3,H,W"), parameters={"long_edge": 320}),
    ]
    prints = {estimator.fingerprint() for estimator in (first, *others)}
    assert len(prints) == 5
    assert all(("onnxruntime=" in one and "CPUExecutionProvider" in one) for one in prints)


def test_networks_of_the_other_kind_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match=r"no network of rtmo: its outputs are output0 "):
        built(tmp_path, create_rtmo, yolo_cells())
    with pytest.raises(WeightsUnavailable, match=r"It is one of --estimator yolo-pose"):
        built(tmp_path, create_rtmo, yolo_people())
    with pytest.raises(
        WeightsUnavailable,
        match=r"dets \(1, 3, 5\), keypoints \(1, 3, 17, 3\); expected one output .*tor rtmo",
    ):
        built(tmp_path, create_yolo_pose, rtmo())


def test_other_tasks_and_numbers_of_keypoints_are_refused(tmp_path: Path) -> None:
    path = saved(yolo_cells(), tmp_path / "detector.onnx", task="detect")
    with pytest.raises(WeightsUnavailable, match=r"metadata tell {'task': 'detect'}; expected one"):
        create_yolo_pose(EstimatorOptions(weights=path))
    nodes = """
        zero = Constant<value_float = 0.0>()
        boxes = Constant<value_ints = [1, 9, 5]>()
        joints = Constant<value_ints = [1, 9, 26, 3]>()
        dets = Expand(zero, boxes)
        keypoints = Expand(zero, joints)
    """
    model = network("float[1,3,64,96] x", "float[A,B,C] dets, float[A,B,D,E] keypoints", nodes)
    with pytest.raises(WeightsUnavailable, match=r"keypoints \(1, 9, 26, 3\); expected dets .*17"):
        built(tmp_path, create_rtmo, model)


def test_a_network_that_does_not_run_at_all_is_refused(tmp_path: Path) -> None:
    """It fails on any picture of the size that it says it takes."""
    nodes = "shape = Constant<value_ints = [7, 11]>() y = Reshape(x, shape)"
    model = network("float[N,3,H,W] x", "float[A,B] y", nodes)
    with pytest.raises(WeightsUnavailable, match=r"net\.onnx does not run on a grey picture"):
        built(tmp_path, create_rtmo, model)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"threshold": 1}, "no parameter 'threshold'; it has: min_score, max_overlap, long_edge"),
        ({"min_score": "high"}, "parameters are wrong: could not convert"),
        ({"min_score": 1.5}, "must be in"),
        ({"max_overlap": "nan"}, "must be in"),
        ({"long_edge": 100}, "multiple of 32, got 100"),
        ({"long_edge": 0}, "multiple of 32, got 0"),
    ],
)
def test_parameters_that_cannot_be(
    tmp_path: Path, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        built(tmp_path, create_yolo_pose, yolo_cells("N,3,H,W"), parameters=parameters)


def test_a_fixed_size_cannot_be_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"takes 96 x 64 pixels and no others"):
        built(tmp_path, create_rtmo, rtmo(), parameters={"long_edge": 640})


def test_dense_maps_and_boxes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rtmo has no dense maps to keep, got joints"):
        built(tmp_path, create_rtmo, rtmo(), keep=frozenset({"joints"}))
    estimator = built(tmp_path, create_rtmo, rtmo())
    assert estimator.dense_shapes((96, 64)) == {}
    boxes = [np.array([[0, 0, 9, 9]], np.float32)]
    with pytest.raises(InputError, match=r"takes no boxes"):
        estimator.preprocess([frame((96, 64))], boxes)


def test_without_weights_the_way_to_get_some_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path))
    with pytest.raises(WeightsUnavailable, match=r"no weights of yolo-pose are published as ONNX"):
        create_yolo_pose(EstimatorOptions())
    with pytest.raises(WeightsUnavailable, match=r"posemill models pull rtmo"):
        create_rtmo(EstimatorOptions())
    with pytest.raises(InputError, match=r"are called 'rtmo-xl'; there are: rtmo-t, rtmo-s"):
        create_rtmo(EstimatorOptions(variant="rtmo-xl"))
