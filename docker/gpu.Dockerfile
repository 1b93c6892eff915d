# GPU image: everything of the CPU image, with torch for CUDA, and the estimators for GPUs.
# The host needs NVIDIA's driver and container toolkit; CUDA itself comes with torch.
#   docker build -f docker/gpu.Dockerfile -t posemill-gpu .
#   docker run --gpus all posemill-gpu posemill extract ... --device cuda
# How to give the bases by digest: see cpu.Dockerfile.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# Of the same version as apache-beam in constraints.txt: it starts Beam's worker in the container.
ARG BEAM_IMAGE=apache/beam_python3.11_sdk:2.77.0

FROM ${BEAM_IMAGE} AS beam

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY constraints.txt setup.py pyproject.toml README.md LICENSE ./
COPY posemill ./posemill
COPY scripts/install_openpifpaf.sh ./scripts/
ARG EXTRAS=torch,blazepose,vitpose,ray,beam,remote
# What else pip is told. For Dataflow: apache-beam[gcp]; for Ray's cluster launcher on AWS: boto3.
ARG PIP_ARGS=
RUN python -m venv /opt/posemill \
    && /opt/posemill/bin/pip install --no-cache-dir --constraint constraints.txt \
       ${PIP_ARGS} ".[${EXTRAS}]"
# openpifpaf is AGPL-3.0 and left out unless asked for: whoever offers a service with an image that
# holds it must offer the service's source, too. docker build --build-arg OPENPIFPAF=yes
ARG OPENPIFPAF=
# hadolint ignore=DL3008
RUN if [ -n "${OPENPIFPAF}" ]; then \
        apt-get update && apt-get install --yes --no-install-recommends g++ \
        && scripts/install_openpifpaf.sh /opt/posemill/bin/python; \
    fi

FROM ${PYTHON_IMAGE}
ARG REVISION=
LABEL org.opencontainers.image.title="posemill-gpu" \
      org.opencontainers.image.description="Turns video datasets into training-ready pose features" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
# KubeRay's probes call wget; Ray's cluster launcher copies by rsync and reaches workers by ssh.
# A login shell, which both use, has the PATH of /etc/profile alone.
# Debian keeps one version of a package in a release, so none is pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openssh-client rsync wget \
    && rm -rf /var/lib/apt/lists/* \
    && echo "export PATH=/opt/posemill/bin:/usr/local/nvidia/bin:\$PATH" > /etc/profile.d/posemill.sh \
    && useradd --create-home --uid 1000 --shell /bin/bash posemill
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY --from=build /opt/posemill /opt/posemill
COPY docker/entrypoint.sh /usr/local/bin/posemill-entrypoint
# The cluster launcher reads HOME from the image. Numba's cache is writable whatever user runs.
# Beam's boot would else make an environment of its own, which a plain user cannot, without posemill.
ENV HOME=/home/posemill \
    PATH=/opt/posemill/bin:/usr/local/nvidia/bin:$PATH \
    POSEMILL_CACHE=/home/posemill/.cache/posemill \
    NUMBA_CACHE_DIR=/tmp/numba \
    RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
# What NVIDIA's container toolkit is to give. Dataflow and Kubernetes on Google's machines have no
# toolkit: they put the driver and nvidia-smi into /usr/local/nvidia.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64
USER 1000
WORKDIR /home/posemill
# Weights are baked in by choice: --build-arg WEIGHTS="openpifpaf --trust"
ARG WEIGHTS=
RUN mkdir -p "${POSEMILL_CACHE}/videos" \
    && if [ -n "${WEIGHTS}" ]; then posemill models pull ${WEIGHTS}; fi
ENTRYPOINT ["posemill-entrypoint"]
CMD ["posemill", "--help"]
