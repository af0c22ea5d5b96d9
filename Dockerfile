# docker build -t cross-modal-kd .
# docker run --rm -v kd-data:/app/data cross-modal-kd kedro run --pipeline=distill      (docs/scale.md has more)
FROM python:3.11-slim
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PATH=/home/kd/venv/bin:$PATH
RUN useradd --create-home --uid 1000 kd && mkdir /app && chown kd:kd /app
USER kd
WORKDIR /app
RUN python -m venv /home/kd/venv
COPY --chown=kd:kd . .
RUN python -m pip install -q -c constraints.txt -e '.[all,cluster]'
CMD ["kedro", "--help"]
