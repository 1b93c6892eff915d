"""Kinetics-skeleton: files of labels, and catalogs that fit the imported poses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dataset_files import absent, index, labels, put_files, splits
from hypothesis import given, settings
from json_fuzz import mutated

from posemill.errors import InputError
from posemill.storage.formats.kinetics_skeleton import KineticsSkeletonFormat

TRAIN = {
    "---QUuC4vJs": {"has_skeleton": True, "label": "testifying", "label_index": 354},
    "-1q0z_x-mn4": {"has_skeleton": False, "label": "applauding", "label_index": 2},
    "a": {"has_skeleton": True, "label": "eating, messily", "label_index": 1},
}
VAL = {"b": {"has_skeleton": True, "label": "testifying", "label_index": 354}}


def put_labels(root: Path, train: object = TRAIN, val: object = VAL) -> Path:
    files = {"train": train, "val": val}
    return put_files(
        root, {f"kinetics_{name}_label.json": json.dumps(each) for name, each in files.items()}
    )


def test_clips_of_both_subsets(tmp_path: Path) -> None:
    indexed = index("kinetics-skeleton", put_labels(tmp_path), videos=tmp_path)
    catalog = indexed.catalog
    assert labels(catalog) == {
        "kinetics_train/---QUuC4vJs": ["testifying"],
        "kinetics_train/a": ["eating, messily"],
        "kinetics_val/b": ["testifying"],
    }
    assert set(map(str, splits(catalog).values())) == {"{'default': 'train'}", "{'default': 'val'}"}
    assert catalog.classes == ("eating, messily", "applauding", "testifying")
    assert len(absent(catalog)) == 3
    assert indexed.left_out == {"clips without a skeleton": 1}
    whole = index("kinetics-skeleton", tmp_path, videos=tmp_path, without_skeleton="true")
    assert len(whole.catalog.clips) == 4
    assert not whole.left_out


def test_ids_are_those_of_the_imported_poses(tmp_path: Path) -> None:
    catalog = index("kinetics-skeleton", put_labels(tmp_path), videos=tmp_path).catalog
    for name in ("kinetics_train/---QUuC4vJs", "kinetics_train/a", "kinetics_val/b"):
        put_files(tmp_path, {f"{name}.json": '{"data": []}'})
    found = KineticsSkeletonFormat().find(tmp_path)
    assert {each.video_id for each in found} == {clip.video_id for clip in catalog.clips}


BAD = {
    "a list": ([], "expected {ID: "),
    "no entry": ({"x": 3}, "'x': expected .*got 3"),
    "no label": ({"x": {"has_skeleton": True, "label_index": 1}}, "'x': expected"),
    "an index of text": ({"x": {**VAL["b"], "label_index": "1"}}, "'x': expected"),
    "an index below 0": ({"x": {**VAL["b"], "label_index": -1}}, "'x': expected"),
    "a truth of text": ({"x": {**VAL["b"], "has_skeleton": "yes"}}, "'x': expected"),
    "no name": ({"x": {**VAL["b"], "label": ""}}, "'x': expected"),
    "an id that climbs": ({"../x": VAL["b"]}, "must be a plain relative path"),
    "an index of two labels": (
        {"x": {**VAL["b"], "label": "other"}},
        "label_index 354 is of 'other', and of 'testifying' elsewhere",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_entry_is_named(tmp_path: Path, fault: str) -> None:
    value, message = BAD[fault]
    with pytest.raises(InputError, match=f"kinetics_val_label.json.*{message}"):
        index("kinetics-skeleton", put_labels(tmp_path, val=value), videos=tmp_path)


def test_a_key_twice_and_other_names_are_refused(tmp_path: Path) -> None:
    entry = json.dumps(VAL["b"])
    text = f'{{"b": {entry}, "b": {entry}}}'
    root = put_files(tmp_path, {"kinetics_val_label.json": text, "x.json": "{}"})
    with pytest.raises(InputError, match=r"kinetics_val_label.json.*has the key 'b' twice"):
        index("kinetics-skeleton", root, videos=tmp_path)
    with pytest.raises(InputError, match=r"x.json: is not called kinetics_train_label.json"):
        index("kinetics-skeleton", root / "x.json", videos=tmp_path)


@settings(max_examples=50)
@given(data=mutated(TRAIN))
def test_any_file_is_a_catalog_or_a_named_fault(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    put_files(root, {"kinetics_val_label.json": data})
    catalog = None
    try:
        catalog = index("kinetics-skeleton", root, videos=root).catalog
    except InputError as error:
        assert str(root) in str(error)  # noqa: PT017 - one of two fair ends
    assert catalog is None or set(labels(catalog)) == {clip.video_id for clip in catalog.clips}
