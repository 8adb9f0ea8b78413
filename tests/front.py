"""A real nginx with the site of deploy/nginx.conf, in front of processes of a cluster."""

import http.client
import os
import re
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chatsite.kept_process import free_port

from .cluster import Node
from .server import LIMIT, PASSWORD, ROOT, Server
from .services import nginx

LOOPBACK = ip_address("127.0.0.1")
HOST = "chat.example.org"
BEHIND_NGINX = {"HTTPS": "1", "ALLOWED_HOSTS": HOST}  # what the processes are told
# Around a site Debian has these; the temporary files are the test's own.
AROUND = """
daemon off;
{user}
pid {here}/pid;
error_log {here}/log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {here}/body;
    proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi;
    scgi_temp_path {here}/scgi;
    uwsgi_temp_path {here}/uwsgi;
    include {here}/site.conf;
}}
"""


class Nginx(Server):
    """Used like a process of the site, over HTTPS and with the name that people type."""

    def __init__(self, directory: Path, upstreams: Sequence[Node]) -> None:
        super().__init__(directory)
        self.upstreams, self.plain_port = upstreams, free_port()

    def prepare(self) -> None:
        self.data_dir.mkdir()
        make_certificate(self.data_dir)
        (self.data_dir / "site.conf").write_text(self.site())
        user = "user root;" if os.geteuid() == 0 else ""
        (self.data_dir / "nginx.conf").write_text(AROUND.format(here=self.data_dir, user=user))

    def site(self) -> str:
        """The shipped site, with the addresses and the certificate of this test."""
        servers = "\n".join(f"server 127.0.0.1:{node.port} \\1;" for node in self.upstreams)
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        for pattern, replacement in (
            (r"server 127\.0\.0\.1:8000 (.*);", servers),
            (r"listen \[::\].*\n", ""),
            (r"listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
            (r"listen 443 ", f"listen 127.0.0.1:{self.port} "),
            (r"/etc/letsencrypt/live/chat\.example\.org/", f"{self.data_dir}/"),
        ):
            text, count = re.subn(pattern, replacement, text)
            assert count, pattern
        return text

    def start(self) -> None:
        command = [nginx() or "nginx", "-p", str(self.data_dir), "-c", str(self.data_dir / "nginx.conf")]
        with (self.data_dir / "said").open("ab") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=said)
        self.wait(self.answers)

    def kill(self) -> None:
        """End it in order: a master that is killed leaves its workers behind."""
        self.terminate()

    def log_in(self) -> None:
        """As a person does."""
        self.ask("GET", "/accounts/login/")
        reply = self.ask("POST", "/accounts/login/", {"login": "admin", "password": PASSWORD})
        assert reply.status == 302, reply.body

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.upstreams[0].rows(query, *parameters)

    @property
    def log(self) -> str:
        return "".join(path.read_text() for name in ("said", "log") if (path := self.data_dir / name).exists())

    def connection(self) -> http.client.HTTPConnection:
        trusting = ssl.create_default_context(cafile=self.data_dir / "fullchain.pem")
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=LIMIT, context=trusting)

    def headers(self, **more: str) -> dict[str, str]:
        return super().headers(Host=HOST, Origin=f"https://{HOST}", **more)


def make_certificate(directory: Path) -> None:
    """Write a key and a certificate that it signed itself, under the names that the site reads."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), datetime.now(UTC)
    addresses = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.IPAddress(LOOPBACK)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1))
    certificate = builder.add_extension(addresses, critical=False).sign(key, hashes.SHA256())
    (directory / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption_algorithm=serialization.NoEncryption()
    )
    (directory / "privkey.pem").write_bytes(private)
