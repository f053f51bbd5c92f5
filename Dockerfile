# The server and nothing else: no compiler, no tests, no cache of pip, nobody who is root.
#
#   docker build --tag export-middleware .
#
# It writes below /var/lib/export-middleware only: the root file system may be read-only. How it is
# run: docs/deployment.md.

# The Python and the Debian that the tests run on. Every dependency has a wheel for them but oss2 and
# crcmod, which are built without a compiler: crcmod does without its C extension, which makes it
# slow, and the server does not use it (flight_server/storage/oss/crc64.py). Debian's tzdata is part
# of the image: Arrow looks up the names of time zones there.
ARG PYTHON=3.11-slim-bookworm


FROM python:${PYTHON} AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/export-middleware

# Dependencies first: they change more seldom than the code, and Docker keeps their layer.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
        > requirements.txt \
    && python -m pip --python /opt/export-middleware/bin/python install \
        --constraint constraints.txt --requirement requirements.txt

COPY LICENSE README.md ./
COPY exporters ./exporters
COPY flight_server ./flight_server
RUN python -m pip wheel --no-deps --wheel-dir dist . \
    && python -m pip --python /opt/export-middleware/bin/python install --no-deps --no-index dist/*.whl \
    && python -m pip --python /opt/export-middleware/bin/python check \
    && find /opt/export-middleware/lib -type d -name tests -prune -exec rm -r {} +


FROM python:${PYTHON}
COPY --from=build /opt/export-middleware /opt/export-middleware
COPY deploy/config.yaml /etc/export-middleware/config.yaml
# A new volume takes over owner and mode of what it is mounted on.
RUN chmod 0644 /etc/export-middleware/config.yaml \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/export-middleware

ENV PATH="/opt/export-middleware/bin:${PATH}"
# Loopback would be this container's own. The server refuses any other address unless it is told that
# everybody who reaches it may export and read, since this version has no authentication:
# EXPORT_SECURITY__ALLOW_ANONYMOUS=true is for whoever runs the image to say, not for the image.
ENV EXPORT_SERVER__HOST=0.0.0.0

# A number, so that Kubernetes sees that it is not root.
USER 10001:10001
WORKDIR /var/lib/export-middleware
VOLUME /var/lib/export-middleware

# Flight, the original gRPC contract, HTTP for people, HTTP for operators
EXPOSE 8815 9090 9091 8080

# Whether it lives, not whether it is ready: who is restarted for an unhealthy database or while it
# finishes its exports loses them.
HEALTHCHECK --interval=30s --timeout=5s --start-period=1m \
    CMD ["/opt/export-middleware/bin/python", "-I", "-c", "\
from http.client import HTTPConnection; \
from os import environ; \
port = environ.get('EXPORT_MONITORING__METRICS_PORT', '8080'); \
connection = HTTPConnection('127.0.0.1', int(port), timeout=4); \
connection.request('GET', '/health/live'); \
raise SystemExit(connection.getresponse().status != 200)"]

ENTRYPOINT ["/opt/export-middleware/bin/export-middleware"]
CMD ["serve", "--config", "/etc/export-middleware/config.yaml"]
