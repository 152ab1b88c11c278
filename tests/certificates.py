"""Certificates for tests of TLS, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def make_certificates(folder: Path) -> Path:
    """
    A CA, and certificates that it signed for a server and a client of 127.0.0.1.

    Also one for a server that is `elsewhere`, and one that is `expired`.
    """
    if shutil.which("openssl") is None:
        pytest.skip("missing: openssl; apt-get install openssl")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("req", "-newkey", "rsa:2048", "-nodes", "-keyout")
    # Python 3.13 takes a CA only if it says what its key is for.
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl(*new, "ca.key", "-x509", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2", *usage)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    (folder / "others").write_text("subjectAltName=IP:192.0.2.1,DNS:elsewhere.example")
    for name in ("server", "client", "elsewhere", "expired"):
        names, days = "others" if name == "elsewhere" else "names", "2"
        if name == "expired":
            days = "-1"
        openssl(*new, f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key")
        more = ("-CAcreateserial", "-out", f"{name}.pem", "-days", days, "-extfile", names)
        openssl(*signed, *more)
    return folder
