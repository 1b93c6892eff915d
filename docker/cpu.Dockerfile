# CPU image: every stage on a CPU, and a worker of Ray and of Beam. Runs as a plain user.
#   docker build -f docker/cpu.Dockerfile -t posemill-cpu .
#   docker run posemill-cpu posemill extract ...
# A tag moves. To build on the very same base again, give its digest, which
# `docker buildx imagetools inspect python:3.11-slim-bookworm` tells:
#   --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# Of the same version as apache-beam in constraints.txt: it starts Beam's worker in the container.
ARG BEAM_IMAGE=apache/beam_python3.11_sdk:2.77.0

FROM ${BEAM_IMAGE} AS beam

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY constraints.txt setup.py pyproject.toml README.md LICENSE ./
COPY posemill ./posemill
# A smaller image: --build-arg EXTRAS=torch,blazepose
ARG EXTRAS=torch,blazepose,onnx,ray,beam,remote
# What else pip is told. torch's CPU build saves gigabytes: --extra-index-url and the index that
# holds it. For Dataflow: apache-beam[gcp]; for Ray's cluster launcher on AWS: boto3.
ARG PIP_ARGS=
RUN python -m venv /opt/posemill \
    && /opt/posemill/bin/pip install --no-cache-dir --constraint constraints.txt \
       ${PIP_ARGS} ".[${EXTRAS}]"

FROM ${PYTHON_IMAGE}
ARG REVISION=
LABEL org.opencontainers.image.title="posemill-cpu" \
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
    && echo "export PATH=/opt/posemill/bin:\$PATH" > /etc/profile.d/posemill.sh \
    && useradd --create-home --uid 1000 --shell /bin/bash posemill
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY --from=build /opt/posemill /opt/posemill
COPY docker/entrypoint.sh /usr/local/bin/posemill-entrypoint
# The cluster launcher reads HOME from the image. Numba's cache is writable whatever user runs.
# Beam's boot would else make an environment of its own, which a plain user cannot, without posemill.
ENV HOME=/home/posemill \
    PATH=/opt/posemill/bin:$PATH \
    POSEMILL_CACHE=/home/posemill/.cache/posemill \
    NUMBA_CACHE_DIR=/tmp/numba \
    RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
USER 1000
WORKDIR /home/posemill
# Weights are baked in by choice: --build-arg WEIGHTS=blazepose
ARG WEIGHTS=
RUN mkdir -p "${POSEMILL_CACHE}/videos" \
    && if [ -n "${WEIGHTS}" ]; then posemill models pull ${WEIGHTS}; fi
ENTRYPOINT ["posemill-entrypoint"]
CMD ["posemill", "--help"]
