# CPU image: decoding, blazepose or figure, features, training on a CPU. Runs as a plain user.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY constraints.txt setup.py pyproject.toml README.md LICENSE ./
COPY posemill ./posemill
# torch's CPU build saves gigabytes; give the index that holds it, e.g.
# docker build --build-arg PIP_ARGS="--extra-index-url URL" -f docker/cpu.Dockerfile .
ARG PIP_ARGS=
RUN python -m venv /opt/posemill \
    && /opt/posemill/bin/pip install --no-cache-dir --constraint constraints.txt \
       ${PIP_ARGS} ".[torch,blazepose]"

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 posemill
COPY --from=build /opt/posemill /opt/posemill
ENV PATH=/opt/posemill/bin:$PATH POSEMILL_CACHE=/home/posemill/.cache/posemill
# Writable whatever user the container runs as.
ENV NUMBA_CACHE_DIR=/tmp/numba
USER posemill
WORKDIR /home/posemill
# Weights are baked in by choice: docker build --build-arg WEIGHTS=blazepose
ARG WEIGHTS=
RUN if [ -n "${WEIGHTS}" ]; then posemill models pull "${WEIGHTS}"; fi
ENTRYPOINT ["posemill"]
CMD ["--help"]
