import pytest
from study.kept import KeptLines


def test_lines_are_appended_and_read(tmp_path):
    kept = KeptLines(tmp_path / "study", {"seeds": [0]})
    assert kept.read() == []
    kept.append({"right": "01"})
    kept.append({"right": "11"})
    assert KeptLines(tmp_path / "study", {"seeds": [0]}).read() == [
        {"right": "01"},
        {"right": "11"},
    ]


def test_a_line_that_was_cut_off_is_none(tmp_path):
    kept = KeptLines(tmp_path, {})
    kept.append({"number": 1})
    with (tmp_path / "results.jsonl").open("a") as lines:
        lines.write('{"number": 2')
    assert kept.read() == [{"number": 1}]
    kept.append({"number": 3})
    assert kept.read() == [{"number": 1}, {"number": 3}]


def test_a_folder_of_another_study_is_refused(tmp_path):
    KeptLines(tmp_path, {"epochs": 3})
    with pytest.raises(ValueError, match="holds another study"):
        KeptLines(tmp_path, {"epochs": 4})
