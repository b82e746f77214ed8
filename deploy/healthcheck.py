"""Whether the service in this container is ready: by the port and TLS of its settings' file."""

import ssl
import sys
import tomllib
import urllib.request
from pathlib import Path


def main(settings: str = "/etc/biobert/service.toml") -> None:
    """Ask /readyz; what is no 200 is an error, and the exit status 1."""
    tables = tomllib.loads(Path(settings).read_text(encoding="utf-8"))
    context = None
    if "certificate" in tables:
        # It is made out for the name that clients use, which is not the one used here.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    scheme = "http" if context is None else "https"
    address = f"{scheme}://127.0.0.1:{tables.get('port', 8000)}/readyz"
    with urllib.request.urlopen(address, timeout=3, context=context):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
