"""Outcomes made by hand, kept and told."""

from dataclasses import replace

import numpy as np
import pytest
from models_study.expectations import Condition
from models_study.motions import CLASSES
from models_study.pictures import write_clips_picture, write_curves_picture
from models_study.plan import PROBE, TEST, Sizes, dropped, list_tests, trainings
from models_study.report import cue_table, drop_table, pair_table, study_report, verdict_table
from models_study.results import Record, Results, ResultsFile
from models_study.trial import Trial, TrialResult

SIZES = Sizes(seeds=(0, 1), train_per_class=2, test_per_class=4, probe_per_class=2, epochs=3)
WHOLE, PROBED = 12 * SIZES.test_per_class, 12 * SIZES.probe_per_class


def of_test(test: str, letter: str) -> str:
    return letter * (WHOLE if test == TEST else PROBED)


def made_up_records() -> list[Record]:
    """PoseConv3D is always right, the others never are; with the cue, who is misled is."""
    return [
        Record(
            contender.name, training, seed,
            {test: of_test(test, right(contender.name, training, test))
             for test in list_tests(contender, training)},
            10.0, 2.0, 0.5,
        )
        for seed in SIZES.seeds
        for contender, training in trainings()
    ]  # fmt: skip


def right(contender: str, training: str, test: str) -> str:
    cued = training == "misled" and test == "bystander on the class's side"
    return "1" if contender == "PoseConv3D" or cued else "0"


def line_of(table: str, start: str) -> list[str]:
    (line,) = (line for line in table.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_record_has_outcomes_by_class_and_number():
    right = {f"test/{name}/{number:03d}": False for name in CLASSES for number in range(2)}
    right[f"test/{CLASSES[1]}/000"] = True
    contender, training = trainings()[0]
    shuffled = dict(sorted(right.items(), reverse=True))
    record = Record.of(
        TrialResult(Trial(contender, training, 3), {TEST: shuffled}, 1.234, 5.0, 0.5)
    )
    assert record.right == {TEST: "0010" + "0" * 20}
    assert (record.contender, record.seed, record.train_seconds) == (contender.name, 3, 1.23)


def test_outcomes_of_a_pair_and_of_the_first_clips():
    letters = "".join(f"{number % 2}" * 4 for number in range(12))  # every second class is right
    letters = "1000" + letters[4:]
    record = Record("PoTion", "plain", 0, {TEST: letters}, 1.0, 1.0, 0.5)
    results = Results(SIZES, [replace(record, seed=1), record])
    assert results.outcomes(Condition("PoTion")).shape == (2, 48)
    assert results.outcomes(Condition("PoTion"), "sit").tolist() == [[*b"\1\0\0\0\1\1\1\1"]] * 2
    assert results.outcomes(Condition("PoTion", test=PROBE)).shape == (2, 24)
    probed = results.outcomes(Condition("PoTion", test=PROBE), "sit")
    np.testing.assert_array_equal(probed, [[True, False, True, True]] * 2)


def test_results_are_kept_and_a_line_that_was_cut_off_is_made_again(tmp_path):
    kept, records = ResultsFile(tmp_path, SIZES), made_up_records()
    assert len(kept.missing()) == len(records)
    kept.append(records[0])
    kept.append(records[1])
    path = tmp_path / "results.jsonl"
    path.write_text(path.read_text()[:-20])
    again = ResultsFile(tmp_path, SIZES)
    assert list(again.read().records) == records[:1]
    assert len(again.missing()) == len(records) - 1
    again.append(records[1])
    assert list(again.read().records) == records[:2]


def test_a_folder_of_another_study_is_refused(tmp_path):
    ResultsFile(tmp_path, SIZES)
    with pytest.raises(ValueError, match="holds another study"):
        ResultsFile(tmp_path, replace(SIZES, epochs=4))


def test_tables_tell_what_came_out():
    results = Results(SIZES, made_up_records())
    verdicts = verdict_table(results)
    assert line_of(verdicts, "PoseConv3D - PoTion")[1:5] == [
        "+100.0", "+100.0 to +100.0", "gain", "shown",
    ]  # fmt: skip
    assert line_of(verdicts, "PoTion + jitter - PoTion")[4] == "not resolved"
    assert line_of(verdicts, "PoseConv3D + jitter - PoseConv3D")[3:5] == [
        "no sign", "lower (no sign expected)",
    ]  # fmt: skip
    assert line_of(pair_table(results), "PoseConv3D") == ["PoseConv3D", *["100.0"] * 6]
    assert line_of(drop_table(results), "JMRN") == ["JMRN", *["0.0"] * 5]
    assert line_of(cue_table(results), "PoTion | misled")[2:6] == [
        "50.0 (50.0-50.0)", "100.0", "0.0", "+100.0",
    ]  # fmt: skip


def test_a_report_has_every_contender_and_pictures_beside_it(tmp_path):
    results = Results(SIZES, made_up_records())
    report = study_report(results)
    for contender, _ in trainings():
        assert f"| {contender.name} |" in report
    assert "24 training and 48 test clips" in report
    for path in (
        write_clips_picture(tmp_path / "clips.png"),
        write_curves_picture(tmp_path / "curves.png", results),
    ):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_a_test_that_is_not_there_is_no_zero():
    results = Results(SIZES, made_up_records())
    with pytest.raises(KeyError):
        results.outcomes(Condition("PoTion + jitter", test=dropped(0.5)))
