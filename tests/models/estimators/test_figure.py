"""The figure estimator: finds rendered people of unseen styles, alone or in a batch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posemill.errors import InputError, MissingDependency, WeightsUnavailable
from posemill.fixtures.scene import Picture, render_picture
from posemill.models.estimators import figure as module
from posemill.models.estimators.base import EstimatorOptions, Persons
from posemill.models.estimators.figure import FigureEstimator, Letter, create
from posemill.models.estimators.figure_decode import DecodeSettings, decode_maps, find_peaks
from posemill.models.estimators.figure_fields import FIELD_LIMBS, encode, to_cells, to_pixels
from posemill.models.estimators.registry import create_estimator
from posemill.schema import UInt8
from posemill.transforms.oks import oks_matrix

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def estimator() -> FigureEstimator:
    return create(EstimatorOptions())


def pictures(count: int, seed: int = 0) -> list[Picture]:
    rng = np.random.default_rng([99, seed])
    return [
        render_picture(rng, "test", people=1 + number % 3, wild=False) for number in range(count)
    ]


def people_in(estimator: FigureEstimator, frames: list[UInt8]) -> list[Persons]:
    return [result.persons for result in estimator.results(frames)]


def test_people_of_unseen_styles_are_found(estimator: FigureEstimator) -> None:
    truths = pictures(24)
    best = []
    for truth, found in zip(
        truths, people_in(estimator, [truth.rgb for truth in truths]), strict=True
    ):
        wanted = truth.visible.sum(axis=1) >= 6
        similarity = oks_matrix(
            truth.xy_px, truth.visible.astype(np.float32), found.xy_px, found.score
        )
        best += similarity.max(axis=1, initial=0.0)[wanted].tolist()
    assert len(best) > 30
    assert np.mean(best) > 0.75
    assert np.mean(np.array(best) > 0.5) > 0.9


def test_a_frame_gives_the_same_people_alone_and_in_a_batch(estimator: FigureEstimator) -> None:
    frames = [truth.rgb for truth in pictures(7, seed=1)]
    frames[2] = frames[2][:100]  # another padded shape in the same call
    frames[5] = frames[5][:, :120]
    together = people_in(estimator, frames)
    for frame, batched in zip(frames, together, strict=True):
        alone = people_in(estimator, [frame])[0]
        assert alone.score.shape == batched.score.shape
        np.testing.assert_allclose(alone.xy_px, batched.xy_px, atol=1 / 16)


def test_reproducible_results_are_equal_to_the_bit() -> None:
    exact = create(EstimatorOptions(reproducible=True))
    frames = [truth.rgb for truth in pictures(5, seed=2)]
    for frame, batched in zip(frames, people_in(exact, frames), strict=True):
        alone = people_in(exact, [frame])[0]
        np.testing.assert_array_equal(alone.xy_px, batched.xy_px)
        np.testing.assert_array_equal(alone.score, batched.score)


def test_a_larger_frame_gives_the_same_people_in_its_own_pixels(
    estimator: FigureEstimator,
) -> None:
    """Each pixel repeated twice: pixel x becomes 2 x and 2 x + 1, so its centre is 2 x + .5."""
    frame = pictures(1, seed=3)[0].rgb
    small = people_in(estimator, [frame])[0]
    large = people_in(estimator, [frame.repeat(2, axis=0).repeat(2, axis=1)])[0]
    np.testing.assert_allclose(large.xy_px, 2 * small.xy_px + 0.5, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (700, 3), (48, 64)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_nobody_is_found_on_an_even_frame(
    estimator: FigureEstimator, shape: tuple[int, int], level: int
) -> None:
    found = people_in(estimator, [np.full((*shape, 3), level, np.uint8)])[0]
    assert found.xy_px.shape == (0, 17, 2)
    assert found.score.shape == (0, 17)


def test_pictures_of_anything_else_are_survived(estimator: FigureEstimator) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    loose = create(EstimatorOptions(parameters={"min_peak": 0.0, "min_limb": 0.0}))
    for one in (estimator, loose):
        found = people_in(one, [noise])[0]
        assert np.isfinite(found.xy_px).all()


def test_a_video_is_tracked(estimator: FigureEstimator) -> None:
    frame = pictures(1, seed=4)[0].rgb
    slots = [persons.slot.tolist() for persons in estimator.estimate([frame] * 20)]
    assert len(slots) == 20
    assert slots == [slots[0]] * 20
    assert list(estimator.estimate([])) == []


def test_dense_maps_have_their_strides() -> None:
    every = create(EstimatorOptions(keep=frozenset({"joints", "parts", "features"})))
    (result,) = every.results([np.zeros((192, 256, 3), np.uint8)])
    shapes = {kind: maps.shape for kind, maps in result.dense.items()}
    parts = 2 * len(FIELD_LIMBS)
    assert shapes == {"joints": (17, 48, 64), "parts": (parts, 48, 64), "features": (64, 12, 16)}
    assert shapes == every.dense_shapes((256, 192))
    assert result.dense["joints"].min() >= 0
    assert result.dense["joints"].max() <= 1


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
    ],
)
def test_what_is_no_frame_is_refused(estimator: FigureEstimator, frame: UInt8) -> None:
    with pytest.raises(InputError, match="must be RGB uint8"):
        estimator.preprocess([frame])


def test_the_fingerprint_names_weights_and_parameters() -> None:
    usual = create_estimator("figure", EstimatorOptions())
    strict = create_estimator("figure", EstimatorOptions(parameters={"min_score": "0.5"}))
    assert usual.spec.skeleton == "coco-17"
    assert usual.fingerprint() == create(EstimatorOptions()).fingerprint()
    assert usual.fingerprint() != strict.fingerprint()
    assert '"min_score":0.5' in strict.fingerprint()


def test_options_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no parameter 'colour'; it has: min_peak"):
        create(EstimatorOptions(parameters={"colour": 1}))
    with pytest.raises(InputError, match="must be numbers"):
        create(EstimatorOptions(parameters={"min_peak": "high"}))
    with pytest.raises(InputError, match=r"min_peak must lie in \[0, 1\), got 1.5"):
        create(EstimatorOptions(parameters={"min_peak": 1.5}))
    with pytest.raises(InputError, match="min_joints must be at least 1"):
        create(EstimatorOptions(parameters={"min_joints": 0}))
    with pytest.raises(WeightsUnavailable, match="are not at"):
        create(EstimatorOptions(weights=tmp_path / "none.npz"))


@pytest.mark.parametrize("device", ["abacus", "cuda", "cuda:7", "cuda:x", "meta", "xpu", "auto"])
def test_a_device_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(InputError, match=f"device '{device}' cannot be used: expected cpu"):
        create(EstimatorOptions(device=device))


@pytest.mark.parametrize("damage", ["text", "pickle", "other"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "figure.npz"
    if damage == "text":
        path.write_text("not an archive")
    elif damage == "pickle":
        np.savez(path, stem=np.array([{"code": "runs"}], dtype=object))
    else:
        np.savez(path, stem=np.zeros((3, 3), np.float32))
    with pytest.raises(WeightsUnavailable, match="does not hold weights of figure"):
        create(EstimatorOptions(weights=path))


def test_torch_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(MissingDependency, match=r"pip install 'posemill\[torch\]'"):
        create(EstimatorOptions())


def test_the_module_itself_does_not_import_torch() -> None:
    code = "import sys, posemill.models.estimators.figure; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_decoding_the_true_maps_gives_the_true_people() -> None:
    """Encode, then decode: every joint comes back to a tenth of a pixel."""
    for truth in pictures(12, seed=5):
        apart = min_distance(truth)
        if apart < 12:  # two joints of a kind that melt into one peak have no exact place
            continue
        heatmaps, fields = encode(truth.xy_px, truth.inside.tolist(), 48, 64)
        xy_px, score = decode_maps(heatmaps, fields, DecodeSettings())
        wanted = truth.inside.astype(np.float32)
        many = truth.inside.sum(axis=1) >= 6
        similarity = oks_matrix(truth.xy_px, wanted, xy_px, score)[many]
        assert (similarity.max(axis=1) > 0.9).all()
        assert len(score) == many.sum()


def min_distance(truth: Picture) -> float:
    """The least distance between two people's joints of one kind."""
    offsets = truth.xy_px[:, None] - truth.xy_px[None]
    distance = np.linalg.norm(offsets, axis=-1)
    distance[np.eye(len(truth.xy_px), dtype=bool)] = np.inf
    return float(distance.min())


def test_a_gaussian_peak_is_found_to_a_fraction_of_a_cell() -> None:
    xy_px = np.full((1, 17, 2), (101.3, 58.9), np.float32)
    heatmaps, _ = encode(xy_px, [[True] * 17], 48, 64)
    peaks = find_peaks(heatmaps, 0.2)
    assert peaks.joint.tolist() == list(range(17))
    np.testing.assert_allclose(to_pixels(peaks.xy_cells), xy_px[0], atol=1e-2)


def test_cells_and_pixels_are_each_others_inverse() -> None:
    # by hand: the first cell covers pixels 0..3, so its centre is 1.5
    assert to_pixels(np.zeros(1, np.float32)).tolist() == [1.5]
    xy = np.array([[0.0, 7.25], [100.0, -3.0]], np.float32)
    np.testing.assert_allclose(to_pixels(to_cells(xy)), xy, atol=1e-5)


def test_a_letter_pads_to_sixteen_and_goes_back() -> None:
    letter = Letter(source=(640, 361), resized=(256, 144))
    assert letter.padded == (256, 144)
    assert Letter((10, 10), (256, 130)).padded == (256, 144)
    # by hand: the picture's left edge, -0.5, stays the left edge
    back = letter.to_source(np.array([[-0.5, -0.5], [255.5, 143.5]], np.float32))
    np.testing.assert_allclose(back, [[-0.5, -0.5], [639.5, 360.5]], atol=1e-4)
