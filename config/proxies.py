"""The proxy to Telegram: how its address is checked, and which one the environment names."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from config.addresses import plain

_PORTS = {"http": 80, "https": 443, "socks5": 1080}
GOOD = "an http://, https:// or socks5:// address, such as socks5://user:password@proxy.example:1080"


def proxy_url(value: object) -> SecretStr | None:
    """With its port. Names are always looked up by the proxy, which is what socks5h:// asks for."""
    if value is None:
        return None
    address = checked(plain(value))
    if address is None:
        raise ValueError(f"PROXY_URL must be {GOOD}.")
    return SecretStr(address)


def checked(text: str) -> str | None:
    """The address in the form that the transport takes; None if it is not a proxy address."""
    # Other programs take an address without a scheme for http.
    scheme, _, rest = (text if "://" in text else f"http://{text}").partition("://")
    scheme = "socks5" if scheme.lower() == "socks5h" else scheme.lower()
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        # Reading the port is what checks it.
        good = scheme in _PORTS and bool(parts.hostname) and parts.port != 0 and parts.path in ("", "/")
    except ValueError:
        return None
    if not good or not text.isprintable() or any(mark in text for mark in " ?#"):
        return None
    whole = parts.netloc if parts.port else f"{parts.netloc.rstrip(':')}:{_PORTS[scheme]}"
    return f"{scheme}://{whole}"


def of_environment(environ: Mapping[str, str], url: str) -> tuple[str, str] | None:
    """The variable that names a proxy for this address, and what it says, as other programs read them.

    None for this machine itself, for hosts that NO_PROXY lists, and for values that are not addresses.
    """
    try:
        parts = urlsplit(url)
        if _spared(parts, _first(environ, "no_proxy")[1]):
            return None
    except ValueError:
        return None
    found = (_first(environ, name) for name in (f"{parts.scheme}_proxy", "all_proxy"))
    return next((pair for pair in found if pair[1]), None)


def _first(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """A variable in small letters or, where there is none, in capitals."""
    return next(((each, text) for each in (name, name.upper()) if (text := environ.get(each, "").strip())), (name, ""))


def _spared(parts: SplitResult, listed: str) -> bool:
    host = parts.hostname or ""
    if host == "localhost" or _is_loopback(host):
        return True
    spared = (each.strip().lower().lstrip("*").lstrip(".") for each in listed.split(","))
    names = {host, f"{host}:{parts.port}"} if parts.port else {host}
    return listed.strip() == "*" or any(
        name == each or name.endswith(f".{each}") for each in spared if each for name in names
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
