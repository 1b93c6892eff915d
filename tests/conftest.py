"""Eight small fixture videos, their catalog, and their poses by `figure`: made once."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import s3_server
from chain import index, run_extract
from hypothesis import settings

from posemill.pipelines.fixtures import FixtureParameters, write_fixtures

NUM_CLIPS = 8

# A shell's background job ignores Ctrl-C, and so would all that tests start and then interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Ray's libraries keep the mode of a process's first cluster: an embedded one, which wants a token
# unless told otherwise, would leave the process unable to work with those of tests, which do not.
os.environ["RAY_AUTH_MODE"] = "disabled"
# Ray puts a print of its own in the place of Python's, which tests of pickles name as a global.
os.environ["RAY_TQDM_PATCH_PRINT"] = "0"

# No test is timed: a kernel's first call compiles it, and machines are busy at times.
settings.register_profile("posemill", deadline=None)
settings.load_profile("posemill")


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six training and two test clips, of 36 to 40 frames. Never write to it."""
    root = tmp_path_factory.mktemp("fixtures") / "videos"
    write_fixtures(root, FixtureParameters(num_clips=NUM_CLIPS, seed=5, max_frames=40), workers=2)
    return root


@pytest.fixture(scope="session")
def catalog(videos: Path) -> Path:
    return index(videos, videos.parent / "catalog")


@pytest.fixture(scope="session")
def poses(catalog: Path) -> Path:
    """The pose store of all eight videos, in four shards of two. Never write to it."""
    out = catalog.parent / "poses.zarr"
    run_extract(catalog, out, workers=2)
    return out


@pytest.fixture(scope="session")
def s3() -> Iterator[Mapping[str, str]]:
    """A running S3 server; the environment by which clients find it."""
    with s3_server.running() as environment:
        yield environment


@pytest.fixture
def bucket(s3: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """`s3://...` of a place without objects, that this process and its children find."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3_server.BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest) -> str:
    """A place where stores can be made: a folder of its own, then a prefix of a bucket."""
    name = "tmp_path" if request.param == "disk" else "bucket"
    return str(request.getfixturevalue(name))
