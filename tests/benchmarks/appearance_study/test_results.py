"""Outcomes made by hand, kept and told."""

from dataclasses import replace

import numpy as np
import pytest
from appearance_study.plan import CONTENDERS, JOINT, Sizes, chosen
from appearance_study.report import accuracy_table, joint_table, study_report, verdict_table
from appearance_study.results import Record, Results, ResultsFile
from appearance_study.scenes import BY_COLOUR, BY_MOTION, CLASSES
from appearance_study.trial import Trial, TrialResult

SIZES = Sizes(seeds=(0, 1), train_per_class=2, test_per_class=4, epochs=3)
RIGHT = {"pictures": "1111111111110000", "poses": "1100110011111111"}


def made_up_records() -> list[Record]:
    """Who reads both is always right, the others are so in 3 clips of 4."""
    return [
        Record(contender.name, seed, RIGHT.get(contender.reads, "1" * 16), 10.0, 2.0, 0.5)
        for seed in SIZES.seeds
        for contender in CONTENDERS
    ]


def line_of(table: str, start: str) -> list[str]:
    (line,) = (line for line in table.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_record_has_outcomes_by_class_and_number():
    right = {f"test/{name}/{number:03d}": False for name in CLASSES for number in range(2)}
    right["test/blue/000"] = True
    result = TrialResult(Trial(CONTENDERS[0], 3), dict(sorted(right.items())), 1.234, 5.0, 0.5)
    record = Record.of(result)
    assert record.right == "00100000"
    assert (record.contender, record.seed, record.train_seconds) == ("rgb", 3, 1.23)


def test_outcomes_are_of_classes():
    results = Results(SIZES, made_up_records())
    assert results.outcomes("rgb").shape == (2, 16)
    assert results.outcomes("rgb", BY_COLOUR).mean() == 1.0
    assert results.outcomes("rgb", BY_MOTION).mean() == 0.5
    np.testing.assert_array_equal(results.outcomes("rgb", ["stand_up"]), np.zeros((2, 4), bool))


def test_what_is_there_is_not_made_again(tmp_path):
    kept = ResultsFile(tmp_path, SIZES)
    assert len(kept.missing(CONTENDERS)) == 2 * len(CONTENDERS)
    for record in made_up_records()[:5]:
        kept.append(record)
    again = ResultsFile(tmp_path, SIZES)
    assert len(again.missing(CONTENDERS)) == 2 * len(CONTENDERS) - 5
    assert [trial.seed for trial in again.missing(chosen(("rgb",)))] == [1]


def test_a_folder_of_other_sizes_is_refused(tmp_path):
    ResultsFile(tmp_path, SIZES)
    with pytest.raises(ValueError, match="holds another study"):
        ResultsFile(tmp_path, replace(SIZES, epochs=4))


def test_tables_tell_what_is_there():
    results = Results(SIZES, made_up_records())
    told = line_of(accuracy_table(results), "poseconv3d")
    assert told[1:5] == ["poses", "75.0 (75.0-75.0)", "50.0 (50.0-50.0)", "100.0 (100.0-100.0)"]
    assert len(joint_table(results).splitlines()) == 2 + len(JOINT)
    assert line_of(joint_table(results), "vpn - rgb")[1] == "+25.0"
    verdicts = verdict_table(results)
    assert line_of(verdicts, "parnet - parnet-tmp")[4] == "shown"
    assert line_of(verdicts, "parnet - parnet-tmp+sa")[3:5] == ["no sign", "not resolved"]
    assert "8 training and 16 test clips of 4 classes for each of 2 seeds" in study_report(results)


def test_of_some_contenders_those_are_told_that_have_every_seed():
    records = [each for each in made_up_records() if each.contender in ("rgb", "rgbpose")]
    half = Results(SIZES, [*records, made_up_records()[1]])
    assert [each.name for each in half.contenders] == ["rgb", "rgbpose"]
    assert len(verdict_table(half).splitlines()) == 3
    assert "rgbpose - rgb" in joint_table(half)
    assert "No network of one modality" in study_report(Results(SIZES, []))
