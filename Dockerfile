# thinslice and its workflow in one image                          (docs/how-to/containers.md)
#     docker build -t thinslice .                                  torch as on PyPI: with CUDA
#     docker build -t thinslice --build-arg TORCH=cpu --build-arg TORCH_INDEX=URL .
#     docker run --rm -v "$PWD:/data" -w /data thinslice thinslice restore CT_5mm CT_1mm
FROM python:3.13-slim-bookworm

ARG TORCH=default
ARG TORCH_INDEX=""

# Versions of Debian's packages follow the base image; what computes is pinned by requirements.lock.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/thinslice
COPY . .
RUN PIP_NO_CACHE_DIR=1 make .venv/.ready TORCH="$TORCH" TORCH_INDEX="$TORCH_INDEX"
ENV PATH=/opt/thinslice/.venv/bin:$PATH

# Any user may run it; results and caches go to the folder that is mounted, never into the image.
ENV XDG_CACHE_HOME=/tmp/.cache
WORKDIR /data
CMD ["thinslice", "--help"]
