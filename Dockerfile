FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 1000 farthing
WORKDIR /app

COPY requirements.txt ./
RUN pip install -r requirements.txt

COPY . ./
RUN pip install --no-deps --editable . \
    && install -d -o farthing -g farthing /home/farthing/data \
    && if [ -d data/rules ]; then cp -r data/rules /home/farthing/data/; fi \
    && chown -R farthing:farthing /home/farthing/data

USER farthing
ENV FARTHING_HOME=/home/farthing/data
VOLUME /home/farthing/data
EXPOSE 8501

HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]

CMD ["python", "-m", "finops_core", "serve", "--port", "8501", "--address", "0.0.0.0"]
