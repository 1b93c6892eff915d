# GPU image: everything of the CPU image, with torch for CUDA, and the estimators for GPUs.
# The host needs NVIDIA's driver and container toolkit; CUDA itself comes with torch.
#   docker build -f docker/gpu.Dockerfile -t posemill-gpu .
#   docker run --gpus all posemill-gpu extract ... --device cuda
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY constraints.txt setup.py pyproject.toml README.md LICENSE ./
COPY posemill ./posemill
COPY scripts/install_openpifpaf.sh ./scripts/
ARG PIP_ARGS=
RUN python -m venv /opt/posemill \
    && /opt/posemill/bin/pip install --no-cache-dir --constraint constraints.txt \
       ${PIP_ARGS} ".[torch,blazepose,vitpose]"
# openpifpaf is AGPL-3.0 and left out unless asked for: whoever offers a service with an image that
# holds it must offer the service's source, too. docker build --build-arg OPENPIFPAF=yes
ARG OPENPIFPAF=
RUN if [ -n "${OPENPIFPAF}" ]; then \
        apt-get update && apt-get install --yes --no-install-recommends g++ \
        && scripts/install_openpifpaf.sh /opt/posemill/bin/python; \
    fi

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 posemill
COPY --from=build /opt/posemill /opt/posemill
ENV PATH=/opt/posemill/bin:$PATH POSEMILL_CACHE=/home/posemill/.cache/posemill
# Writable whatever user the container runs as.
ENV NUMBA_CACHE_DIR=/tmp/numba
# What NVIDIA's container toolkit is to give.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER posemill
WORKDIR /home/posemill
# Weights are baked in by choice: --build-arg WEIGHTS="openpifpaf --trust"
ARG WEIGHTS=
RUN if [ -n "${WEIGHTS}" ]; then posemill models pull ${WEIGHTS}; fi
ENTRYPOINT ["posemill"]
CMD ["--help"]
