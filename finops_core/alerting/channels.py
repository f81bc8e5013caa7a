"""Channels: Apprise URLs, whose secrets may stand in the environment and are never printed."""

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_WITHIN = "FARTHING_ALERT_"
"""How the names of variables begin that may stand within a URL. Others must be all of it: so who may write rules cannot send a secret
of the server, such as a password of its database, to a host of their own."""
_LOCAL = ("dbus", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows")
"""Schemes that act on the server itself."""
_NAMED_HOSTS = ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos")
"""Schemes whose host is no secret."""
_OPEN = ("smtp", "port", "from", "to", "cc", "name", "mode", "format", "method", "verify", "cto", "rto")
"""Parameters of URLs that are no secret."""
_CONNECT, _ANSWER = 5.0, 10.0
"""Seconds that a channel has to connect, and to answer."""


def checked(url: str) -> str:
    """A URL as it is written. Raises ValueError for one that Apprise does not know, without repeating it."""
    names = _VARIABLE.findall(url)
    if not url.isprintable() or url != url.strip():
        raise ValueError("is no URL: there are blanks around it or marks in it")
    if "$" in _VARIABLE.sub("", url):
        raise ValueError("an environment variable is written ${NAME}")
    if names and _VARIABLE.fullmatch(url) is None:
        for name in names:
            if not name.startswith(_WITHIN):
                raise ValueError(
                    f"within a URL only variables that begin with {_WITHIN} are taken, not {name}; one that is the whole URL may have any name"
                )
    if not names:
        opened(url)
    return url


def resolved(url: str, environment: Mapping[str, str] | None = None) -> str:
    """A URL with its variables filled in. Raises ValueError naming one that is not set."""
    given = os.environ if environment is None else environment

    def value(found: re.Match[str]) -> str:
        if not given.get(found[1]):
            raise ValueError(f"the environment variable {found[1]} is not set")
        return given[found[1]]

    return _VARIABLE.sub(value, url)


def masked(url: str) -> str:
    """A channel for reading: its variables by name, its scheme, and its host where that is no secret."""
    if _VARIABLE.search(url):
        return (
            url
            if _VARIABLE.fullmatch(url)
            else f"{url.partition('://')[0]}://… with {', '.join(_VARIABLE.findall(url))}"
        )
    scheme = url.partition("://")[0]
    try:
        parts = urlsplit(url)
        host = parts.hostname if scheme in _NAMED_HOSTS else ""
        port = f":{parts.port}" if host and parts.port else ""
    except ValueError:
        host = port = ""
    return f"{scheme}://{host or ''}{port}{'/' if host else ''}…"


def opened(url: str) -> Any:
    """The Apprise service of a URL. Raises ValueError without repeating it."""
    from apprise import Apprise

    scheme = url.partition("://")[0].lower()
    if "://" not in url or scheme in _LOCAL:
        raise ValueError("is no URL of a channel, such as json://host/path, mailto://… or slack://…")
    with _heard():
        service = Apprise.instantiate(url)
    if service is None:
        raise ValueError(
            f"Apprise cannot read this {scheme}:// URL: see https://appriseit.com for how it is written"
        )
    service.socket_connect_timeout = min(service.socket_connect_timeout or _CONNECT, _CONNECT)
    service.socket_read_timeout = min(service.socket_read_timeout or _ANSWER, _ANSWER)
    return service


@dataclass(frozen=True)
class Sent:
    """How a delivery ended. `error` is empty where it arrived."""

    error: str = ""

    @property
    def arrived(self) -> bool:
        return not self.error


def send(url: str, title: str, body: str, severity: str, payload: Mapping[str, Any]) -> Sent:
    """Sends one message, and waits for the answer some seconds at most. Never raises: what went wrong is in words, without secrets.

    Where the channel is json:// or jsons://, `payload` is part of the JSON that is posted.
    """
    from apprise import Apprise, NotifyFormat, NotifyType

    try:
        address = resolved(url)
        service = opened(address)
    except ValueError as error:
        return Sent(str(error))
    if address.partition("://")[0].lower() in ("json", "jsons"):
        service.payload_extras = {**payload, **service.payload_extras}
    sender = Apprise()
    sender.add(service)
    kind = {"critical": NotifyType.FAILURE, "high": NotifyType.WARNING, "warning": NotifyType.WARNING}
    with _heard() as said:
        try:
            arrived = sender.notify(
                body=body,
                title=title,
                notify_type=kind.get(severity, NotifyType.INFO),
                body_format=NotifyFormat.TEXT,
            )
        except Exception as error:  # a plugin may raise anything; the other channels are still to be told
            return Sent(f"{type(error).__name__} while sending")
    return Sent() if arrived else Sent(_in_words(said, address))


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise logs, kept from the output."""
    said: list[str] = []

    class _Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    log, ear = logging.getLogger("apprise"), _Ear(logging.WARNING)
    before = log.propagate
    log.addHandler(ear)
    log.propagate = False
    try:
        yield said
    finally:
        log.removeHandler(ear)
        log.propagate = before


def _in_words(said: list[str], address: str) -> str:
    """The first thing that Apprise said, unless a part of the URL is in it that may be secret."""
    parts = urlsplit(address)
    asked = [value for name, value in parse_qsl(parts.query) if name not in _OPEN]
    secret = [parts.username, parts.password, *parts.path.split("/"), *asked]
    if address.partition("://")[0].lower() not in _NAMED_HOSTS:
        secret.append(parts.netloc)
    words = next(iter(said), "the channel did not take it")
    hidden = any(len(s) > 3 and (s in words or unquote(s) in words) for s in secret if s)
    return "the channel did not take it" if hidden else " ".join(words.split())[:300]
