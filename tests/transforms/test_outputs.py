import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.outputs import OutputSpec, dequantise, quantise, quantise_all

UNIT = OutputSpec("maps", ("y", "x"), (1, 4), "uint8", scale_factor=1 / 255)


def test_steps_are_rounded_and_clipped() -> None:
    values = np.array([[-0.2, 0.4 / 255, 0.6 / 255, 1.7]], np.float32)
    assert quantise(values, UNIT).tolist() == [[0, 0, 1, 255]]
    assert quantise(values, UNIT).dtype == np.uint8


def test_quantising_leaves_the_values_alone() -> None:
    values = np.array([[0.3, 0.4, 0.5, 0.6]], np.float32)
    before = values.copy()
    quantise(values, UNIT)
    assert np.array_equal(values, before)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50))
def test_uint8_is_off_by_half_a_step_at_most(values: list[float]) -> None:
    exact = np.array(values, np.float32)
    error = np.abs(dequantise(quantise(exact, UNIT), UNIT) - exact)
    assert error.max() <= 0.5 / 255 + 1e-6


@given(st.integers(0, 255))
def test_every_stored_number_comes_back(stored: int) -> None:
    number = np.array([stored], np.uint8)
    assert quantise(dequantise(number, UNIT), UNIT) == number


def test_scale_and_offset_follow_the_cf_conventions() -> None:
    spec = OutputSpec("t", ("x",), (2,), "int16", scale_factor=0.5, add_offset=10.0)
    assert quantise(np.array([10.0, 12.5], np.float32), spec).tolist() == [0, 5]
    assert dequantise(np.array([0, 5], np.int16), spec).tolist() == [10.0, 12.5]


def test_integers_without_a_scale_are_kept_or_clipped() -> None:
    spec = OutputSpec("n", ("x",), (2,), "int16")
    assert quantise(np.array([7, 70_000]), spec).tolist() == [7, 32_767]


def test_float16_is_clipped_to_its_range() -> None:
    spec = OutputSpec("f", ("x",), (2,), "float16")
    stored = quantise(np.array([1e9, 0.1], np.float32), spec)
    assert stored.tolist() == [65504.0, float(np.float16(0.1))]


def test_integers_refuse_what_is_not_finite() -> None:
    with pytest.raises(ValueError, match="output maps: uint8 cannot hold a value that is not fin"):
        quantise(np.array([[0, 0, 0, np.nan]], np.float32), UNIT)


def test_zeros_stand_for_zero_under_an_offset() -> None:
    spec = OutputSpec("t", ("x",), (3,), "int16", scale_factor=0.5, add_offset=-4.0)
    assert dequantise(spec.zeros(), spec).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dims": ("y",)}, "as many as the sizes"),
        ({"dims": ("y", "y")}, "distinct"),
        ({"shape": (0, 4)}, "at least 1"),
        ({"dtype": "complex64"}, "dtype must be one of bool, uint8"),
        ({"scale_factor": 0.0}, "scale_factor must be a positive number"),
        ({"add_offset": float("nan")}, "add_offset must be finite"),
        ({"name": ""}, "needs a name"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    arguments = {"name": "m", "dims": ("y", "x"), "shape": (1, 4), "dtype": "uint8"} | changes
    with pytest.raises(ValueError, match=message):
        OutputSpec(**arguments)


def test_all_outputs_must_be_there_in_their_shape() -> None:
    with pytest.raises(ValueError, match=r"outputs must be \['maps'\], got \['other'\]"):
        quantise_all({"other": np.zeros((1, 4))}, (UNIT,))
    with pytest.raises(ValueError, match=r"output maps must have shape \(1, 4\), got \(2, 4\)"):
        quantise_all({"maps": np.zeros((2, 4))}, (UNIT,))


@pytest.mark.parametrize(
    ("dtype", "scale", "says"),
    [
        ("uint8", 1 / 255, "within 0.00196"),
        ("int16", 0.5, "within 0.25"),
        ("int32", None, "exact"),
        ("bool", None, "exact"),
        ("float16", None, "within 2^-11 of the value"),
        ("float32", None, "within 2^-24 of the value"),
    ],
)
def test_the_precision_of_what_is_stored_is_said(
    dtype: str, scale: float | None, says: str
) -> None:
    assert OutputSpec("a", ("x",), (2,), dtype, scale_factor=scale).precision == says


@given(st.lists(st.floats(2**-14, 65504, width=32), min_size=1, max_size=50))
def test_float16_is_off_by_its_stated_share_at_most(values: list[float]) -> None:
    exact = np.array(values, np.float32)
    spec = OutputSpec("a", ("x",), (len(values),), "float16")
    assert (np.abs(dequantise(quantise(exact, spec), spec) - exact) <= exact * 2**-11).all()


def test_an_array_of_the_stored_dtype_is_stored_already() -> None:
    stored = np.array([[0, 1, 254, 255]], np.uint8)
    assert quantise(stored, UNIT) is stored


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "int64"])
def test_values_beyond_the_dtype_are_its_limits(dtype: str) -> None:
    spec = OutputSpec("a", ("x",), (2,), dtype, scale_factor=0.5)
    low, high = quantise(np.array([-1e30, 1e30]), spec).tolist()
    info = np.iinfo(dtype)
    assert low == info.min
    # The greatest float64 below 2^63 is 1024 less.
    assert info.max - 1024 <= high <= info.max
    assert high > 0
