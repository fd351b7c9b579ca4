"""Connections to Telegram, direct or by a proxy, and why one did not come about."""

from __future__ import annotations

import socket
import ssl
from enum import StrEnum

import aiohttp
import aiohttp_socks
import certifi
from aiohttp import ClientError, TCPConnector

FAULTS = (
    ClientError,
    OSError,
    ValueError,  # what an address that is none becomes
    aiohttp_socks.ProxyError,
    aiohttp_socks.ProxyConnectionError,
    aiohttp_socks.ProxyTimeoutError,
)
"""All that can go wrong on the way there and back."""

_IDLE = 15.0  # seconds for which an unused connection is kept
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED
_NOT_NOW = (9, 10)


class Cause(StrEnum):
    """Why nothing came back from Telegram, as the log and `check` name it."""

    REFUSED = "refused"
    NAME = "name not found"
    TIMED_OUT = "timed out"
    UNTRUSTED = "certificate not trusted"
    CLOCK = "certificate not valid at this machine's time"
    PROXY = "proxy refused"
    OTHER = "other"


# The first that fits: some of these classes are others' children.
_CAUSES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Cause], ...] = (
    ((aiohttp.ClientConnectorDNSError, socket.gaierror), Cause.NAME),
    ((aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError), Cause.PROXY),
    ((aiohttp_socks.ProxyConnectionError, aiohttp_socks.ProxyError), Cause.PROXY),
    ((TimeoutError, aiohttp_socks.ProxyTimeoutError), Cause.TIMED_OUT),
    (ConnectionRefusedError, Cause.REFUSED),
)


def cause_of(error: BaseException) -> Cause:
    """Which of the causes an exception stands for, by its class or that of what it was raised from."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return cause_of(error.certificate_error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Cause.CLOCK if error.verify_code in _NOT_NOW else Cause.UNTRUSTED
    known = next((cause for kinds, cause in _CAUSES if isinstance(error, kinds)), None)
    if known is None and error.__cause__ is not None:
        return cause_of(error.__cause__)
    return known or Cause.OTHER


def connector(proxy: str | None, *, limit: int, tls: ssl.SSLContext | None) -> TCPConnector:
    """What opens connections and keeps them: at most `limit` at once, by `proxy` if that is a SOCKS one.

    Through proxies of the other kinds aiohttp itself finds the way, request by request.
    """
    trust = tls or _trust()
    if proxy is not None and is_socks(proxy):
        return aiohttp_socks.ProxyConnector.from_url(proxy, limit=limit, keepalive_timeout=_IDLE, ssl=trust)
    return TCPConnector(limit=limit, keepalive_timeout=_IDLE, ssl=trust)


def _trust() -> ssl.SSLContext | bool:
    """The certificate authorities that the machine trusts; if it has none, as for Python on a Mac, those of Mozilla."""
    known = ssl.get_default_verify_paths()
    return True if known.cafile or known.capath else ssl.create_default_context(cafile=certifi.where())


def is_socks(proxy: str) -> bool:
    return proxy.startswith("socks")
