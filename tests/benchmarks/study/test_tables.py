import numpy as np
from study.differences import Difference
from study.tables import by_seed, interval, table, with_range


def test_accuracies_of_seeds_have_their_range():
    outcomes = np.array([[True, True, False, False], [True, True, True, False]])
    assert by_seed(outcomes).tolist() == [0.5, 0.75]
    assert with_range(by_seed(outcomes)) == "62.5 (50.0-75.0)"


def test_differences_have_a_sign():
    assert interval(Difference(0.05, -0.012, 0.1)) == "-1.2 to +10.0"


def test_a_table_has_a_line_below_its_head():
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
