"""Certificates for servers on this machine, made on the spot by the `openssl` command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

_RULES = """
[ca]
default_ca = only
[only]
dir = .
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
x509_extensions = here
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[here]
subjectAltName = DNS:localhost,IP:127.0.0.1
"""


def made(folder: Path, *, begins: str = "20200101", ends: str = "21200101") -> Path:
    """A file with a certificate for localhost, good between these two days, and its key. Skips where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    folder.mkdir(exist_ok=True)
    (folder / "rules").write_text(_RULES)
    (folder / "index.txt").touch()
    asked = "req -config rules -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out asked"
    signed = (
        "ca -batch -notext -config rules -selfsign -keyfile key -in asked -out signed "
        f"-startdate {begins}000000Z -enddate {ends}000000Z"
    )
    for command in (f"{asked} -subj /CN=localhost", signed):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    whole = folder / "whole.pem"
    whole.write_text((folder / "signed").read_text() + (folder / "key").read_text())
    return whole


def shown(certificate: Path) -> ssl.SSLContext:
    """For a server: it shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def trusting(*certificates: Path) -> ssl.SSLContext:
    """For a client: it trusts these certificates and no others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for certificate in certificates:
        context.load_verify_locations(certificate)
    return context
