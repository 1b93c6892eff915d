import numpy as np
from study.outcomes import as_letters, from_letters


def test_letters_are_in_the_order_of_classes_and_numbers():
    right = {"test/b/001": True, "test/a/000": False, "test/b/000": False, "test/a/001": True}
    assert as_letters(right, ["b", "a"]) == "0101"
    assert as_letters({**right, "test/b/001": False}, ["a", "b"]) == "0100"


def test_outcomes_of_letters_are_by_seed_class_and_number():
    outcomes = from_letters(["010011", "111000"], 3)
    assert outcomes.dtype == np.bool_
    assert outcomes.tolist() == [
        [[False, True], [False, False], [True, True]],
        [[True, True], [True, False], [False, False]],
    ]
