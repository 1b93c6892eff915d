"""What can be wrong with an ONNX file, a device or a run, and how it is told."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posemill.errors import (
    DeviceOutOfMemory,
    EnvironmentFault,
    InputError,
    MissingDependency,
    WeightsUnavailable,
)

onnx = pytest.importorskip("onnx", reason="builds ONNX files")
onnxruntime = pytest.importorskip("onnxruntime", reason="runs them")

from onnx_networks import network, rtmo, saved  # noqa: E402

from posemill.models.estimators.onnx import session  # noqa: E402
from posemill.models.estimators.onnx.failures import runtime_failures  # noqa: E402
from posemill.models.estimators.onnx.session import (  # noqa: E402
    CPU,
    CUDA,
    Compute,
    Network,
    PictureInput,
    load_network,
)

ON_CPU = Compute(device="cpu", threads=1, reproducible=False)
PICTURES = np.zeros((2, 3, 4, 6), np.float32)


def loaded(tmp_path: Path, inputs: str, outputs: str, nodes: str) -> Network:
    return load_network(saved(network(inputs, outputs, nodes), tmp_path / "net.onnx"), ON_CPU)


def test_a_network_tells_its_input_its_hash_and_its_metadata(tmp_path: Path) -> None:
    path = saved(rtmo("batch,3,64,96"), tmp_path / "net.onnx", task="pose")
    found = load_network(path, ON_CPU)
    assert found.picture == PictureInput("pictures", np.float32, None, 64, 96)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.output_names == ("dets", "keypoints")
    assert found.metadata["task"] == "pose"
    assert found.provider == CPU


def test_half_precision_goes_in_and_comes_out_as_floats(tmp_path: Path) -> None:
    half = loaded(tmp_path, "float16[1,3,H,W] x", "float16[1,3,H,W] y", "y = Abs(x)")
    assert half.picture == PictureInput("x", np.float16, 1, None, None)
    output = half.run(np.full((1, 3, 2, 2), -0.5, np.float16))[0]
    assert output.dtype == np.float32
    assert (output == 0.5).all()


def test_no_file_and_a_folder_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.onnx", tmp_path):
        with pytest.raises(WeightsUnavailable, match=r"cannot be read.*expected an ONNX file"):
            load_network(path, ON_CPU)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip file", b"\x80\x04pickle"])
def test_what_is_no_onnx_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsUnavailable, match=r"cannot be run by onnxruntime.*expected one "):
        load_network(path, ON_CPU)


def test_a_file_that_breaks_off_is_told(tmp_path: Path) -> None:
    path = saved(rtmo(), tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsUnavailable, match=r"net\.onnx cannot be run"):
        load_network(path, ON_CPU)


def test_operators_of_others_are_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match=r"other:Suppress.*without operators of other"):
        loaded(tmp_path, "float[1,3,4,4] x", "float[1,3,4,4] y", "y = other.Suppress(x)")


@pytest.mark.parametrize("present", [True, False])
def test_weights_in_other_files_are_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: bool
) -> None:
    """They would not be part of the hash; ONNX Runtime looks for them in the current folder."""
    weighted = network("float[1,3,4,4] x", "float[1,3,4,4] y", "y = Add(x, w)")
    tensor = onnx.numpy_helper.from_array(np.ones((1, 3, 4, 4), np.float32), "w")
    weighted.graph.initializer.append(tensor)
    path = tmp_path / "net.onnx"
    onnx.save(weighted, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    if not present:
        (tmp_path / "w.bin").unlink()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsUnavailable, match=r"its weights lie in other files: put all into"):
        load_network(path, ON_CPU)


@pytest.mark.parametrize(
    ("inputs", "outputs", "nodes"),
    [
        ("float[1,4] x", "float[1,4] y", "y = Abs(x)"),
        ("float[1,1,4,4] x", "float[1,1,4,4] y", "y = Abs(x)"),
        ("uint8[1,3,4,4] x", "float[1,3,4,4] y", "y = Cast<to = 1>(x)"),
        ("float[1,3,4,4] x", "int64[4] y", "y = Shape(x)"),
        ("float[1,3,4,4] x, float[1,3,4,4] z", "float[1,3,4,4] y", "y = Add(x, z)"),
    ],
)
def test_what_takes_no_pictures_is_told(
    tmp_path: Path, inputs: str, outputs: str, nodes: str
) -> None:
    with pytest.raises(WeightsUnavailable, match=r"no pose network: it takes .*expected one pict"):
        loaded(tmp_path, inputs, outputs, nodes)


@pytest.mark.parametrize("device", ["gpu", "cuda", "cuda:0", "cuda:x", "mps", ""])
def test_a_device_that_is_not_there_is_told(tmp_path: Path, device: str) -> None:
    if CUDA in onnxruntime.get_available_providers() and device.startswith("cuda"):
        pytest.skip("this onnxruntime has CUDA")
    path = saved(rtmo(), tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"it has .*CPUExecutionProvider.*onnxruntime-gpu"):
        load_network(path, Compute(device, 1, reproducible=False))


class FallenBack:
    """A session as ONNX Runtime makes it where its CUDA libraries cannot be loaded."""

    def get_providers(self) -> list[str]:
        return [CPU]


def test_a_gpu_that_cannot_be_started_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: FallenBack())
    with pytest.raises(InputError, match=r"could not start it; see that the CUDA"):
        load_network(saved(rtmo(), tmp_path / "net.onnx"), Compute("cuda", 1, reproducible=False))


@pytest.mark.parametrize("reproducible", [True, False])
def test_how_a_gpu_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reproducible: bool
) -> None:
    asked = {}

    def remember(content: bytes, options: object, **rest: object) -> FallenBack:
        asked.update(rest, options=options)
        return FallenBack()

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)
    monkeypatch.setattr(onnxruntime, "InferenceSession", remember)
    with pytest.raises(InputError):
        load_network(saved(rtmo(), tmp_path / "net.onnx"), Compute("cuda:1", 3, reproducible))
    [(provider, options)] = asked["providers"]
    assert provider == CUDA
    assert options["device_id"] == "1"
    assert (options.get("use_tf32") == "0") is reproducible
    assert asked["enable_fallback"] is False
    assert asked["options"].intra_op_num_threads == 3
    assert asked["options"].use_deterministic_compute is reproducible


def test_a_network_that_fails_on_a_picture_is_a_fault_of_the_environment(tmp_path: Path) -> None:
    """It gathers at an index that the picture holds: there is no row 7."""
    nodes = """
        top = ReduceMax<keepdims = 0>(x)
        row = Cast<to = 7>(top)
        y = Gather<axis = 2>(x, row)
    """
    gathering = loaded(tmp_path, "float[N,3,4,6] x", "float[N,3,6] y", nodes)
    assert gathering.run(PICTURES)[0].shape == (2, 3, 6)
    with pytest.raises(EnvironmentFault, match=r"CPUExecutionProvider failed: .*run the same comm"):
        gathering.run(PICTURES + 7)
    assert gathering.run(PICTURES)[0].shape == (2, 3, 6)


def test_no_memory_for_a_batch_is_told_as_that(tmp_path: Path) -> None:
    """It asks for a petabyte where a picture says so."""
    nodes = """
        top = ReduceMax<keepdims = 0>(x)
        count = Cast<to = 7>(top)
        number = Constant<value_ints = [-1]>()
        shape = Reshape(count, number)
        one = Constant<value_float = 1.0>()
        y = Expand(one, shape)
    """
    hungry = loaded(tmp_path, "float[N,3,4,6] x", "float[M] y", nodes)
    assert hungry.run(PICTURES + 5)[0].shape == (5,)
    with pytest.raises(DeviceOutOfMemory, match=r"no memory for the batch"):
        hungry.run(PICTURES + np.float32(2.0**48))


@pytest.mark.parametrize(
    "line",
    [
        "Non-zero status code returned while running Conv node. bfc_arena.cc:376 void* "
        "onnxruntime::BFCArena::AllocateRawInternal Failed to allocate memory for requested "
        "buffer of size 939524096",
        "CUDA failure 2: out of memory ; GPU=0",
        "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED",
        "std::bad_alloc",
    ],
)
def test_onnxruntimes_words_for_no_memory(line: str) -> None:
    with pytest.raises(DeviceOutOfMemory), runtime_failures(CUDA):
        raise RuntimeError(line)


def test_a_gpu_that_fails_while_a_file_is_loaded_is_not_the_files_fault() -> None:
    told = pytest.raises(EnvironmentFault, match=r"invalid device ordinal")
    with told, runtime_failures(CUDA, Path("net.onnx")):
        raise RuntimeError("CUDA failure 101: invalid device ordinal ; GPU=7")


def test_other_errors_are_not_touched() -> None:
    with pytest.raises(KeyError), runtime_failures(CPU):
        raise KeyError("ours")


def test_without_onnxruntime_the_install_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "find_spec", lambda _: None)
    with pytest.raises(MissingDependency, match=r"pip install 'posemill\[onnx\]'"):
        load_network(tmp_path / "net.onnx", ON_CPU)


def test_decoding_and_the_module_itself_need_no_onnxruntime() -> None:
    check = (
        "import sys, posemill.models.estimators.onnx.estimator; "
        "sys.exit('onnxruntime' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
