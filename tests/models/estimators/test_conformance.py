"""What every estimator holds to, whatever it is made of.

Those whose weights are not at hand run as small networks of random or hand-made weights.
Whether they find people well is tested with each of them.
"""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posemill.errors import EnvironmentFault, InputError, WeightsUnavailable
from posemill.fixtures.scene import render_picture
from posemill.models.estimators.base import (
    CPU_BATCH,
    Estimator,
    EstimatorOptions,
    FrameEstimator,
    FrameResult,
    Persons,
)
from posemill.models.estimators.registry import create_estimator, estimator_names
from posemill.schema import UInt8
from posemill.transforms.skeletons import get_skeleton

SIXTEENTH = 1 / 16


@dataclass(frozen=True)
class Case:
    """How to have an estimator here, and what its fingerprint must tell apart."""

    save: Callable[[Path, int], Path | None]
    """Writes weights into a folder, others for another seed; None where they are packaged."""
    parameters: dict[str, str] = field(default_factory=dict)
    other_parameter: tuple[str, str] = ("", "")
    scales: tuple[float, ...] = (1.0,)
    """Over which it can average maps."""
    blur_px: float = 0.0
    """How smooth a picture must be for its pixels' number not to matter, where the frames are
    scaled without smoothing, as in the training of the network."""


def _packaged(folder: Path, seed: int) -> Path | None:
    """The package's own, or with another seed a copy that differs in a number."""
    from posemill.models.estimators.figure_weights import (
        PACKAGED_WEIGHTS,
        load_network,
        save_weights,
    )

    if seed == 0:
        return None
    state = load_network(PACKAGED_WEIGHTS)[0].state_dict()
    state["head.bias"] += seed / 1000
    save_weights(state, folder / "figure.npz")
    return folder / "figure.npz"


def _onnx(name: str) -> Callable[[Path, int], Path]:
    def save(folder: Path, seed: int) -> Path:
        pytest.importorskip("onnxruntime", reason="runs the network")
        pytest.importorskip("onnx", reason="writes the network")
        import onnx_networks

        return onnx_networks.saved(
            getattr(onnx_networks, name)(), folder / "net.onnx", seed=str(seed)
        )

    return save


def _vitpose(folder: Path, seed: int) -> Path:
    import tiny_vitpose

    tiny_vitpose.transformers()
    tiny_vitpose.save_pose(folder / "pose", seed=seed)
    tiny_vitpose.save_detector(folder / "detector")
    return folder


def _openpifpaf(folder: Path, seed: int) -> Path:
    import tiny_pifpaf

    return tiny_pifpaf.save_converted(folder, seed=seed)


CASES = {
    "figure": Case(_packaged, other_parameter=("min_peak", "0.2"), scales=(0.5, 1.0)),
    "openpifpaf": Case(
        _openpifpaf,
        {"long_edge": "161", "instance_threshold": "0.02"},
        ("long_edge", "129"),
        scales=(0.5, 1.0),
    ),
    "rtmo": Case(_onnx("rtmo"), other_parameter=("min_score", "0.45"), blur_px=16.0),
    "vitpose": Case(
        _vitpose,
        {"detector_size": "64", "person_threshold": "0.0001"},
        ("padding", "1.5"),
    ),
    "yolo-pose": Case(_onnx("yolo_cells"), other_parameter=("min_score", "0.45"), blur_px=16.0),
}

Make = Callable[..., FrameEstimator[Any, Any, Any]]


@pytest.fixture(scope="module", params=sorted(CASES))
def options(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    case = CASES[request.param]
    pytest.importorskip("torch")
    weights = case.save(tmp_path_factory.mktemp(request.param), 0)
    return request.param, EstimatorOptions(weights=weights, parameters=case.parameters)


@pytest.fixture(scope="module")
def usual(options: tuple[str, EstimatorOptions]) -> FrameEstimator[Any, Any, Any]:
    return frame_estimator(*options)


@pytest.fixture(scope="module")
def reproducible(options: tuple[str, EstimatorOptions]) -> FrameEstimator[Any, Any, Any]:
    return frame_estimator(options[0], replace(options[1], reproducible=True))


def frame_estimator(name: str, options: EstimatorOptions) -> FrameEstimator[Any, Any, Any]:
    estimator = create_estimator(name, options)
    assert isinstance(estimator, FrameEstimator)
    return estimator


def crowd(people: int, width: int, height: int, seed: int = 0) -> UInt8:
    """A picture of so many people."""
    rng = np.random.default_rng([7, seed, people])
    if people == 0:
        return np.full((height, width, 3), 90, np.uint8)
    return render_picture(rng, "test", people=people, width=width, height=height, wild=False).rgb


def mixed() -> list[UInt8]:
    """Nobody, one person, some, thirty; grey; a pixel, a line; of several shapes."""
    sizes = [(160, 120), (120, 160), (160, 120), (200, 90)]
    frames = [crowd(people, *size) for people, size in zip((0, 1, 30, 2), sizes, strict=True)]
    frames += [np.full((48, 64, 3), grey, np.uint8) for grey in (0, 128, 255)]
    frames += [np.full((1, 1, 3), 200, np.uint8), np.full((1, 150, 3), 9, np.uint8)]
    noise = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)
    return [*frames, noise]


def assert_valid(result: FrameResult, skeleton: str) -> None:
    persons = result.persons
    num_keypoints = get_skeleton(skeleton).num_keypoints
    assert persons.xy_px.shape == (len(persons.score), num_keypoints, 2)
    assert persons.score.shape[1:] == (num_keypoints,)
    assert persons.xy_px.dtype == persons.score.dtype == np.float32
    assert (persons.slot == -1).all()
    assert np.isfinite(persons.xy_px).all()
    assert ((persons.score >= 0) & (persons.score <= 1)).all()


def assert_bits(found: FrameResult, expected: FrameResult) -> None:
    for name in ("xy_px", "score", "slot"):
        np.testing.assert_array_equal(getattr(found.persons, name), getattr(expected.persons, name))


def keypoints_in_order(persons: Persons) -> np.ndarray[Any, Any]:
    """(N K, 3), in an order that does not depend on which of two equal people came first."""
    people = np.concatenate([persons.xy_px, persons.score[..., None]], axis=-1)
    order = np.lexsort(np.round(people.mean(axis=1), 1).T)
    return people[order].reshape(-1, 3)


def test_every_estimator_is_here() -> None:
    # Blazepose follows people from frame to frame; its tests are its own.
    assert {*CASES, "blazepose"} == set(estimator_names())


def test_frames_of_any_kind_give_what_the_interface_says(
    usual: FrameEstimator[Any, Any, Any],
) -> None:
    frames = mixed()
    found = usual.results(frames)
    assert len(found) == len(frames)
    for result in found:
        assert_valid(result, usual.spec.skeleton)
        assert not result.dense  # none were asked for


TOLD_OF_CUDA = {
    "figure": ("", ""),
    "openpifpaf": ('"dtype":"float32"', '"dtype":"float16"'),
    "rtmo": ("CPUExecutionProvider", "CUDAExecutionProvider"),
    "vitpose": ("", ""),
    "yolo-pose": ("CPUExecutionProvider", "CUDAExecutionProvider"),
}
"""What a fingerprint says on a CPU, and in its place on a GPU."""


def test_for_a_gpu_of_another_machine_it_tells_here_what_it_is(
    options: tuple[str, EstimatorOptions], usual: FrameEstimator[Any, Any, Any]
) -> None:
    """The driver of a cluster has no GPU, and yet must name what the workers will make."""
    name, on_cpu = options
    there = frame_estimator(name, replace(on_cpu, device="cuda", elsewhere=True))
    assert there.fingerprint() == usual.fingerprint().replace(*TOLD_OF_CUDA[name])
    assert there.spec.max_batch > CPU_BATCH
    assert there.dense_shapes((320, 200)) == usual.dense_shapes((320, 200))


def test_a_batch_changes_nothing_of_note(usual: FrameEstimator[Any, Any, Any]) -> None:
    frames = mixed() + [crowd(3, 160, 120, seed) for seed in range(4)]
    near, total = 0, 0
    for frame, together in zip(frames, usual.results(frames), strict=True):
        alone = usual.results([frame])[0]
        assert len(alone.persons.score) == len(together.persons.score)
        apart = keypoints_in_order(alone.persons) - keypoints_in_order(together.persons)
        near += int((np.abs(apart[:, :2]).max(axis=1) <= SIXTEENTH).sum())
        total += len(apart)
    assert total > 0
    assert near >= 0.999 * total


def test_reproducible_is_bit_equal_however_the_work_is_split(
    reproducible: FrameEstimator[Any, Any, Any],
) -> None:
    assert reproducible.spec.max_batch == 1
    frames = mixed()
    expected = reproducible.results(frames)
    for result, frame in zip(expected, frames, strict=True):
        assert_bits(reproducible.results([frame])[0], result)
    backwards = reproducible.results(frames[::-1])[::-1]
    for result, other in zip(expected, backwards, strict=True):
        assert_bits(other, result)


def test_reproducible_is_bit_equal_when_built_again(
    options: tuple[str, EstimatorOptions], reproducible: FrameEstimator[Any, Any, Any]
) -> None:
    again = frame_estimator(options[0], replace(options[1], reproducible=True))
    assert again.fingerprint() == reproducible.fingerprint()
    frames = mixed()[:4]
    for one, other in zip(again.results(frames), reproducible.results(frames), strict=True):
        assert_bits(one, other)


def test_positions_are_in_the_pixels_of_the_source(
    options: tuple[str, EstimatorOptions], usual: FrameEstimator[Any, Any, Any]
) -> None:
    """Every pixel three times: pixel x becomes 3 x to 3 x + 2, whose centre is 3 x + 1."""
    if usual.spec.takes_boxes:
        pytest.skip("sees people through crops: see the next test")
    small = crowd(2, 320, 240, seed=3)
    if blur_px := CASES[options[0]].blur_px:
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), blur_px), np.uint8)
    large = small.repeat(3, axis=0).repeat(3, axis=1)
    found, expected = (usual.results([frame])[0].persons for frame in (large, small))
    assert len(expected.score) > 0 < len(found.score)
    apart = np.abs(found.xy_px[:, None] - (expected.xy_px * 3 + 1)).max(axis=3)
    apart[:, expected.score == 0] = 0  # where no joint is, nothing can move
    assert np.median(apart.max(axis=2).min(axis=0)) < 0.5


def test_a_person_in_a_box_moves_with_it(usual: FrameEstimator[Any, Any, Any]) -> None:
    if not usual.spec.takes_boxes:
        pytest.skip("takes no boxes")
    picture, box = crowd(1, 160, 120, seed=3), np.array([[60, 40, 100, 80]], np.float32)
    moved = np.roll(picture, (11, 17), axis=(0, 1))
    found = usual.results([picture, moved], [box, box + np.float32([17, 11, 17, 11])])
    assert len(found[0].persons.score) == 1
    expected = found[0].persons.xy_px + np.float32([17, 11])
    np.testing.assert_allclose(found[1].persons.xy_px, expected, atol=1e-2)


def test_a_decoder_travels_to_other_processes(usual: FrameEstimator[Any, Any, Any]) -> None:
    frame = crowd(2, 160, 120, seed=5)
    batch, metas = usual.preprocess([frame])
    (raw,) = usual.infer(batch)
    again, sent, meta = pickle.loads(  # noqa: S301 - our own bytes
        pickle.dumps((usual.decoder, raw, metas[0]))
    )
    assert_bits(again(sent, meta), usual.decoder(raw, metas[0]))


def test_a_video_is_tracked_as_it_comes(usual: FrameEstimator[Any, Any, Any]) -> None:
    frame = crowd(1, 160, 120, seed=6)
    people = list(usual.estimate(iter([frame] * 5)))
    assert len(people) == 5
    for persons in people:
        assert sorted(persons.slot) == sorted(people[0].slot)
        assert (persons.slot >= 0).all()
    assert list(usual.estimate([])) == []


def test_a_fingerprint_tells_weights_and_parameters_apart(
    options: tuple[str, EstimatorOptions], tmp_path: Path, usual: Estimator
) -> None:
    name, built = options
    case = CASES[name]
    key, value = case.other_parameter
    other_weights = create_estimator(name, replace(built, weights=case.save(tmp_path, 1)))
    changed = replace(built, parameters={**built.parameters, key: value})
    prints = {
        usual.fingerprint(),
        other_weights.fingerprint(),
        create_estimator(name, changed).fingerprint(),
    }
    assert len(prints) == 3
    assert create_estimator(name, built).fingerprint() == usual.fingerprint()


def test_dense_maps_are_as_announced(options: tuple[str, EstimatorOptions]) -> None:
    name, built = options
    announced = frame_estimator(name, built).dense_shapes((160, 120))
    keeping = frame_estimator(name, replace(built, keep=frozenset(announced)))
    dense = keeping.results([crowd(1, 160, 120)])[0].dense
    assert {kind: maps.shape for kind, maps in dense.items()} == dict(announced)
    for maps in dense.values():
        assert maps.dtype == np.float32
        assert np.isfinite(maps).all()


def test_dense_maps_change_no_pose(
    options: tuple[str, EstimatorOptions], reproducible: FrameEstimator[Any, Any, Any]
) -> None:
    name, built = options
    keep = frozenset(reproducible.dense_shapes((160, 120)))
    scales = CASES[name].scales
    keeping = frame_estimator(name, replace(built, reproducible=True, keep=keep, scales=scales))
    frame = crowd(2, 160, 120, seed=8)
    assert_bits(keeping.results([frame])[0], reproducible.results([frame])[0])


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
    ],
)
def test_what_is_no_frame_is_refused(usual: FrameEstimator[Any, Any, Any], frame: UInt8) -> None:
    for take in (usual.results, usual.preprocess):
        with pytest.raises(InputError, match="must be RGB uint8"):
            take([frame])


def test_boxes_are_taken_or_refused(usual: FrameEstimator[Any, Any, Any]) -> None:
    frame, boxes = crowd(1, 160, 120), np.array([[10, 20, 90, 110]], np.float32)
    if usual.spec.takes_boxes:
        assert len(usual.results([frame], [boxes])[0].persons.score) == 1
        assert len(usual.results([frame], [boxes[:0]])[0].persons.score) == 0
    else:
        with pytest.raises(InputError, match="takes no boxes"):
            usual.results([frame], [boxes])


def test_an_unknown_parameter_is_named_with_the_known_ones(
    options: tuple[str, EstimatorOptions],
) -> None:
    name, built = options
    wrong = replace(built, parameters={"colour": "red"})
    with pytest.raises(InputError, match=CASES[name].other_parameter[0]):
        create_estimator(name, wrong)


@pytest.mark.parametrize("name", sorted({*CASES, "blazepose"} - {"figure"}))
def test_nothing_is_downloaded_by_building(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither with no weights at all, nor with a path where there are none."""
    if name == "openpifpaf":
        import tiny_pifpaf

        tiny_pifpaf.openpifpaf()

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(WeightsUnavailable, match=r"models pull|--weights"):
        create_estimator(name, EstimatorOptions())
    with pytest.raises(WeightsUnavailable, match="nowhere"):
        create_estimator(name, EstimatorOptions(weights=tmp_path / "nowhere"))


def test_numbers_that_are_none_are_the_devices_fault(
    usual: FrameEstimator[Any, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never an empty video, nor a wrong pose."""
    spoil_output(usual, monkeypatch)
    with pytest.raises(EnvironmentFault, match=r"infinite or undefined|not finite|no numbers"):
        usual.results([crowd(2, 160, 120)])


def spoil_output(estimator: FrameEstimator[Any, Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on all that the network gives is not a number."""
    import torch

    if estimator.spec.name in ("rtmo", "yolo-pose"):
        from posemill.models.estimators.onnx.session import Network

        run = Network.run
        monkeypatch.setattr(
            Network, "run", lambda *args: [output * np.nan for output in run(*args)]
        )
        return
    convolve = torch.nn.Conv2d.forward
    monkeypatch.setattr(torch.nn.Conv2d, "forward", lambda *args: convolve(*args) * torch.nan)


def test_parts_of_a_batch_come_in_any_order(reproducible: FrameEstimator[Any, Any, Any]) -> None:
    frames = [crowd(1, 160, 120, seed=9), crowd(2, 90, 150, seed=9), crowd(0, 160, 120)]
    expected = [reproducible.results([frame])[0] for frame in frames]
    for order in permutations(range(len(frames))):
        found = reproducible.results([frames[position] for position in order])
        for position, result in zip(order, found, strict=True):
            assert_bits(result, expected[position])
