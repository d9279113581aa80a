# prbot and the Terraform it runs. Nothing here is taken on trust: the base image is named
# by its digest and Terraform by the checksum of its archive, and both must be given:
#
#   docker build \
#     --build-arg PYTHON_DIGEST=sha256:...     # of python:3.12-slim, from your registry
#     --build-arg TERRAFORM_VERSION=1.11.4 \
#     --build-arg TERRAFORM_SHA256=...         # of terraform_1.11.4_linux_amd64.zip
#     --build-arg TERRAFORM_URL=https://...    # where that archive is for you
#     -t prbot .
#
# What is left out stops the build and is named.
ARG PYTHON_DIGEST

FROM python:3.12-slim@${PYTHON_DIGEST:?must-be-given-as-a-build-argument,sha256:...} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]

ARG TERRAFORM_VERSION
ARG TERRAFORM_SHA256
ARG TERRAFORM_URL
RUN : "${TERRAFORM_VERSION:?give --build-arg TERRAFORM_VERSION, such as 1.11.4}" \
 && : "${TERRAFORM_SHA256:?give --build-arg TERRAFORM_SHA256, the checksum of the archive from its SHA256SUMS file}" \
 && : "${TERRAFORM_URL:?give --build-arg TERRAFORM_URL, where the archive is}"
# an address, not a file: COPY cannot fetch it
# hadolint ignore=DL3020
ADD ${TERRAFORM_URL} /tmp/terraform.zip
RUN echo "${TERRAFORM_SHA256}  /tmp/terraform.zip" | sha256sum --check --strict \
 && python -m zipfile --extract /tmp/terraform.zip /usr/local/bin \
 && chmod 0755 /usr/local/bin/terraform \
 && test "$(terraform version -json | python -c 'import json, sys; print(json.load(sys.stdin)["terraform_version"])')" = "${TERRAFORM_VERSION}"

WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE Makefile ./
COPY prbot ./prbot
# versions and hashes are uv.lock's, addresses this build's own (PIP_*, pip.conf)
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir "uv==$(sed -n 's/^UV_VERSION := //p' Makefile)" \
 && /opt/build/bin/uv export --quiet --frozen --no-emit-project --only-group build \
      --output-file /tmp/build.txt \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r /tmp/build.txt \
 && /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /tmp/wheel .
RUN python -m venv /opt/prbot \
 && /opt/build/bin/uv export --quiet --frozen --no-emit-project --no-default-groups --extra s3 \
      --output-file /tmp/prbot.txt \
 && /opt/prbot/bin/pip install --no-cache-dir --require-hashes -r /tmp/prbot.txt \
 && /opt/prbot/bin/pip install --no-cache-dir --no-deps /tmp/wheel/*.whl

FROM python:3.12-slim@${PYTHON_DIGEST:?must-be-given-as-a-build-argument,sha256:...}
# git's security fixes matter more than its exact version
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends git ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/prbot --create-home prbot
COPY --from=build /usr/local/bin/terraform /usr/local/bin/terraform
COPY --from=build /opt/prbot /opt/prbot
ENV PATH=/opt/prbot/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/prbot
EXPOSE 4141
ENTRYPOINT ["prbot"]
CMD ["serve", "--config", "/etc/prbot/prbot.server.yaml"]
