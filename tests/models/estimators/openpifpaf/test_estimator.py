"""The estimator from a converted checkpoint to people, batches, faults and its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posemill.errors import DeviceOutOfMemory, EnvironmentFault, InputError, WeightsUnavailable
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.openpifpaf import create
from posemill.models.estimators.openpifpaf.checkpoint import load_checkpoint
from posemill.models.estimators.openpifpaf.estimator import PifPafEstimator, trunk_dtype
from posemill.models.estimators.openpifpaf.network import PifPafNetwork, build_shell
from posemill.models.estimators.openpifpaf.settings import PifPafSettings
from posemill.models.estimators.registry import create_estimator
from posemill.schema import UInt8

torch = pytest.importorskip("torch")

SIZES = [(48, 64), (90, 160), (160, 90), (1, 1), (1, 70), (64, 48), (95, 160)]


def built(path: Path, **changes: Any) -> PifPafEstimator:
    parameters = {"long_edge": 129, "instance_threshold": 0.02, **changes.pop("parameters", {})}
    return create(EstimatorOptions(weights=path, parameters=parameters, **changes))


@pytest.fixture(scope="module")
def estimator(converted: Path) -> PifPafEstimator:
    return built(converted)


@pytest.fixture(scope="module")
def frames() -> list[UInt8]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]


def test_a_network_of_random_numbers_runs_from_frames_to_people(
    estimator: PifPafEstimator, frames: list[UInt8]
) -> None:
    results = estimator.results(frames)
    assert sum(len(result.persons.score) for result in results) > 0
    for result in results:
        persons = result.persons
        assert persons.xy_px.shape == (len(persons.score), 17, 2)
        assert np.isfinite(persons.xy_px).all()
        assert persons.score.dtype == np.float32
        assert np.all((persons.score >= 0) & (persons.score <= 1))
        assert np.all(persons.slot == -1)
        assert not result.dense


def test_a_frame_gives_the_same_people_alone_and_in_a_batch(
    estimator: PifPafEstimator, frames: list[UInt8]
) -> None:
    for frame, batched in zip(frames, estimator.results(frames), strict=True):
        alone = estimator.results([frame])[0].persons
        np.testing.assert_allclose(alone.xy_px, batched.persons.xy_px, atol=1 / 16)
        np.testing.assert_allclose(alone.score, batched.persons.score, atol=1e-3)


def test_frames_of_one_padded_shape_share_a_bucket(estimator: PifPafEstimator) -> None:
    """129 x 73 and 129 x 77 are both padded to 129 x 81."""
    assert estimator.bucket((160, 90)) == estimator.bucket((160, 95)) == ((129, 81),)
    assert estimator.bucket((90, 160)) == ((81, 129),)
    batch, metas = estimator.preprocess(
        [np.zeros((90, 160, 3), np.uint8), np.zeros((95, 160, 3), np.uint8)]
    )
    assert [picture.shape for picture in batch.pictures] == [(2, 81, 129, 3)]
    assert [meta[0].resized for meta in metas] == [(129, 73), (129, 77)]


def test_reproducible_results_are_equal_to_the_bit(converted: Path, frames: list[UInt8]) -> None:
    exact = built(converted, reproducible=True)
    assert exact.spec.max_batch == 1
    together = exact.results(frames)
    for frame, one in zip(reversed(frames), reversed(together), strict=True):
        alone = exact.results([frame])[0].persons
        np.testing.assert_array_equal(alone.xy_px, one.persons.xy_px)
        np.testing.assert_array_equal(alone.score, one.persons.score)


def test_a_larger_frame_gives_the_same_people_in_its_own_pixels(converted: Path) -> None:
    """Each pixel repeated twice: pixel x becomes 2 x and 2 x + 1, so its centre is 2 x + .5."""
    estimator = built(converted)
    frame = np.random.default_rng(3).integers(0, 256, (97, 129, 3), np.uint8)
    small = estimator.results([frame])[0].persons
    large = estimator.results([frame.repeat(2, axis=0).repeat(2, axis=1)])[0].persons
    seen = small.score > 0
    assert len(small.score) > 0
    np.testing.assert_array_equal(large.score > 0, seen)
    np.testing.assert_allclose(large.xy_px[seen], 2 * small.xy_px[seen] + 0.5, atol=1e-2)


def test_dense_maps_have_the_shapes_that_are_announced(
    converted: Path, frames: list[UInt8]
) -> None:
    keep = frozenset({"joints", "parts", "features"})
    estimator = built(converted, keep=keep, scales=(0.5, 1.0, 1.5, 2.0))
    assert estimator.dense_shapes((160, 90)) == {
        "joints": (17, 5, 8),  # 129 x 73 by 16
        "parts": (38, 5, 8),
        "features": (1024, 5, 8),
    }
    for frame, result in zip(frames, estimator.results(frames), strict=True):
        height, width = frame.shape[:2]
        shapes = {kind: maps.shape for kind, maps in result.dense.items()}
        assert shapes == estimator.dense_shapes((width, height))
        assert all(maps.dtype == np.float32 for maps in result.dense.values())
        assert np.all((result.dense["joints"] >= 0) & (result.dense["joints"] <= 1))


def test_poses_do_not_depend_on_what_is_kept(
    estimator: PifPafEstimator, converted: Path, frames: list[UInt8]
) -> None:
    keeping = built(converted, keep=frozenset({"joints"}), scales=(0.5, 1.0))
    for wanted, got in zip(estimator.results(frames), keeping.results(frames), strict=True):
        assert set(got.dense) == {"joints"}
        np.testing.assert_allclose(wanted.persons.xy_px, got.persons.xy_px, atol=1 / 16)


def test_the_fingerprint_names_what_decides_the_poses(converted: Path, tmp_path: Path) -> None:
    usual = built(converted)
    assert usual.fingerprint() == built(converted).fingerprint()
    assert load_checkpoint(converted)[1] in usual.fingerprint()
    assert '"dtype":"float32"' in usual.fingerprint()
    assert "openpifpaf=0.13" in usual.fingerprint()
    others = [
        built(converted, parameters={"long_edge": "145"}),
        built(converted, parameters={"seed_threshold": 0.5}),
    ]
    assert len({one.fingerprint() for one in (usual, *others)}) == 3
    assert usual.spec.skeleton == "coco-17"


def test_it_is_found_by_its_name(converted: Path) -> None:
    options = EstimatorOptions(weights=converted, parameters={"long_edge": "129"})
    assert isinstance(create_estimator("openpifpaf", options), PifPafEstimator)


def test_a_trunk_of_half_the_digits_has_whole_heads(converted: Path) -> None:
    """The features are numbers of bfloat16, and the fields what float32 makes of just those."""
    checkpoint, _ = load_checkpoint(converted)
    network = PifPafNetwork(checkpoint, torch.device("cpu"), torch.bfloat16)
    picture = np.random.default_rng(0).integers(0, 256, (1, 33, 257, 3), np.uint8)
    (fields,) = network.fields(picture, keep_features=True)
    assert fields.features is not None
    features = torch.from_numpy(fields.features)
    assert torch.equal(features, features.bfloat16().float())
    with torch.inference_mode():
        cif, caf = (head(features[None])[0] for head in build_shell(checkpoint).head_nets)
    np.testing.assert_allclose(fields.cif, cif, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(fields.caf, caf, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "device", "reproducible", "expected"),
    [
        ("auto", "cpu", False, "float32"),
        ("auto", "cuda", False, "float16"),
        ("auto", "cuda", True, "float32"),
        ("bfloat16", "cuda", False, "bfloat16"),
        ("float32", "cuda", False, "float32"),
        ("float32", "cpu", True, "float32"),
    ],
)
def test_the_trunks_precision(dtype: str, device: str, reproducible: bool, expected: str) -> None:
    assert trunk_dtype(PifPafSettings(dtype=dtype), device, reproducible) == expected


@pytest.mark.parametrize(("device", "reproducible"), [("cpu", False), ("cuda", True)])
def test_reduced_precision_is_refused_where_it_is_not_meant(
    device: str, reproducible: bool
) -> None:
    with pytest.raises(InputError, match="dtype=float16 is for a GPU and without --reproducible"):
        trunk_dtype(PifPafSettings(dtype="float16"), device, reproducible)


def test_numbers_that_are_none_are_a_fault_of_the_environment(
    converted: Path, frames: list[UInt8]
) -> None:
    estimator = built(converted)
    with torch.no_grad():
        estimator._network._trunk.conv1[0].weight.fill_(float("inf"))
    with pytest.raises(EnvironmentFault, match="not finite"):
        estimator.results(frames[:1])


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), DeviceOutOfMemory),
        (torch.AcceleratorError("an illegal memory access"), EnvironmentFault),
    ],
)
def test_a_fault_of_the_device_is_told_as_one(
    converted: Path,
    frames: list[UInt8],
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    expected: type[Exception],
) -> None:
    estimator = built(converted)

    def fail(*_: Any, **__: Any) -> Any:
        raise fault

    monkeypatch.setattr(estimator._network, "_trunk", fail)
    with pytest.raises(expected):
        estimator.results(frames[:1])


def test_options_that_cannot_be_are_refused(converted: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no parameter 'colour'"):
        built(converted, parameters={"colour": 1})
    with pytest.raises(InputError, match="cannot be used"):
        built(converted, device=f"cuda:{torch.cuda.device_count()}")
    with pytest.raises(WeightsUnavailable, match="are not at"):
        built(tmp_path / "absent.pt")
    with pytest.raises(InputError, match="takes no boxes"):
        built(converted).preprocess([np.zeros((9, 9, 3), np.uint8)], [np.zeros((0, 4), np.float32)])
    with pytest.raises(InputError, match="must be RGB"):
        built(converted).preprocess([np.zeros((9, 9), np.uint8)])
