"""Addresses as they may be shown: of storage, MLflow and Ray, without user, password and query.

What libraries say of an address that fails quotes it, whole or in parts, decoded or not. So an
address is remembered where it is first used, and `without_secrets` leaves its secret parts out of
any text, beside whatever else in the text looks like an address with secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus

HIDDEN = "***"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>`\\]+")
_ENCODED_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*%3A%2F%2F[^\s'\"<>`\\&]+", re.IGNORECASE)
_TRAILING = re.compile(r"[.,;:!)\]}]*$")
_BARE = re.compile(r"(?<![\w/%])[\w.%+~=-]+:[^\s/@:'\"]+@(?=[\w\[])")
_SENSITIVE = (
    r"[\w.-]*(?:password|passwd|pwd|secret|token|signature|credential|access_?key|api_?key|"
    r"authorization|private_?key|account_?key)[\w.-]*|sig|sas|auth"
)
_PAIR = re.compile(
    rf"(?<![\w.-])({_SENSITIVE})(=|['\"]\s*[:=]\s*['\"])"
    r"([^\s&'\",;<>]+?)(?=[)\].]*(?:[\s&'\",;<>]|$))",
    re.I,
)
_BEARER = re.compile(r"(authorization['\"]?\s*[:=]\s*['\"]?(?:basic|bearer)\s+)[^\s'\",;]+", re.I)
_USER = r"((?:user|role|username|login)\s*[=:]?\s*)(['\"])%s\2"
_NOT_SECRET = {
    "region", "scheme", "endpoint_override", "allow_bucket_creation", "allow_bucket_deletion",
    "allow_delayed_open", "background_writes", "retry_limit_seconds", "project_id", "sslmode",
    "charset", "driver", "dbname", "host", "port", "connect_timeout", "application_name",
    "check_directory_existence_before_creation", "sse_customer_algorithm", "replication",
}  # fmt: skip
"""Keys of a query whose values are ordinary words, which a text may hold by themselves."""
_CONTAINERS = {"abfs", "abfss", "wasb", "wasbs"}
"""Before the @ of these stands a container, which is no secret."""
_BUCKETS = {"s3", "s3a", "s3n", "gs", "gcs"}
"""These have no port: whatever a colon divides is a key."""
_ADDRESSES = ("TRAINABILITY_STORAGE", "MLFLOW_TRACKING_URI", "RAY_ADDRESS")
_SECRETS = (
    "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "RAY_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_CONNECTION_STRING", "AZURE_CLIENT_SECRET", "DATABRICKS_TOKEN", "PGPASSWORD",
)  # fmt: skip
_LEAST = 4
"""Letters of a secret that is looked for by itself; a shorter one is part of too many words."""

_remembered: dict[str, str] = {}
_users: set[str] = set()


def shown(address: str | os.PathLike[str]) -> str:
    """An address without user, password, query and fragment; a local path as it is.

    >>> shown("s3://KEY:SE/CR+ET@bucket/folder?region=eu")
    's3://bucket/folder'
    >>> shown("http://user:pass@host:5000/#token=1")
    'http://host:5000/'
    >>> shown("abfss://container:key@account.dfs.core.windows.net/folder?sig=x")
    'abfss://container@account.dfs.core.windows.net/folder'
    >>> shown("/home/me/a@b?c"), shown("me:pass@head:6379")
    ('/home/me/a@b?c', 'head:6379')
    """
    text = str(address)
    scheme, mark, rest = text.partition("://")
    if not mark or not _SCHEME.fullmatch(scheme):
        return text if text.startswith(("/", ".", "~")) else _BARE.sub("", text)
    end = _end_of_authority(scheme, rest)
    authority, tail = rest[:end], rest[end:]
    user, at, host = authority.rpartition("@")
    if at and scheme.lower() in _CONTAINERS:
        host = f"{user.partition(':')[0]}@{host}"
    if authority:
        tail = re.split(r"[?#]|;(?=[^/]*=)", tail, maxsplit=1)[0]
    else:  # a path on this machine, whose names may hold such signs
        tail = re.split(r"\?(?=[^/]*=)", tail, maxsplit=1)[0]
    if "://" in tail:
        tail = _URL.sub(lambda match: shown(match[0]), tail)
    return f"{scheme}://{host}{tail}"


def has_secrets(address: str) -> bool:
    """Whether an address has parts that are not shown."""
    return shown(address) != address


def remember(address: str | os.PathLike[str]) -> None:
    """Leave the secret parts of an address out of every text from now on."""
    text = str(address)
    if not has_secrets(text):
        return
    _remember(text, shown(text))
    for secret in _secrets(text):
        _remember(secret, HIDDEN)


def remember_environment() -> None:
    """Remember the addresses and secrets that this process was given by its environment."""
    for name in _ADDRESSES:
        remember(os.environ.get(name, ""))
    for name in _SECRETS:
        _remember(os.environ.get(name, ""), HIDDEN, least=8)


def without_secrets(text: str) -> str:
    """A text, such as the message of a library's error, without the secrets of addresses.

    >>> without_secrets("Cannot parse 'https://me:pass@host/a?sig=x' (password=hidden)")
    "Cannot parse 'https://host/a' (password=***)"
    """
    for secret in sorted(_remembered, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, _remembered[secret])
    for user in _users:
        text = re.sub(_USER % re.escape(user), rf"\1\2{HIDDEN}\2", text, flags=re.I)
    if "@" in text or "?" in text or "#" in text or ";" in text:
        text = _URL.sub(_shown_within, text)
        text = _BARE.sub(f"{HIDDEN}@", text)
    if "%" in text:
        text = _ENCODED_URL.sub(lambda match: shown(unquote(match[0])), text)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    return _PAIR.sub(lambda match: f"{match[1]}{match[2]}{HIDDEN}", text)


def _shown_within(match: re.Match[str]) -> str:
    trailing = _TRAILING.search(match[0])
    assert trailing
    address = match[0][: trailing.start()]
    return shown(address) + trailing[0]


def _end_of_authority(scheme: str, rest: str) -> int:
    """Where user, password, host and port end; a password may hold what would end them."""
    first = re.search(r"[/?#]", rest)
    end = first.start() if first else len(rest)
    behind, at, _ = rest[end:].rpartition("@")
    _, colon, port = rest[:end].rpartition(":")
    is_port = port.isdigit() and scheme.lower() not in _BUCKETS
    if not at or not colon or is_port:
        return end
    if "@" in rest[:end] and ("=" in behind or behind.startswith("/")):
        return end  # a path, or a query, that holds an @
    after = end + len(behind) + 1
    first = re.search(r"[/?#]", rest[after:])
    return after + first.start() if first else len(rest)


def _secrets(address: str) -> Iterator[str]:
    """The secret parts of an address, as they stand and decoded."""
    scheme, _, rest = address.partition("://")
    end = _end_of_authority(scheme, rest)
    userinfo, at, _ = rest[:end].rpartition("@")
    if at:
        user, colon, password = userinfo.partition(":")
        if colon:
            yield password
            yield userinfo
            if scheme.lower() not in _CONTAINERS:
                _users.add(user)
        # A key or a token, not somebody's name, which may be part of any text.
        if len(user) >= 16 or (len(user) >= 8 and re.search(r"\d", user)):
            yield user
    query = rest[end:].partition("?")[2]
    for key, value in parse_qsl(query.replace(";", "&").replace("#", "&"), keep_blank_values=True):
        if "://" in value:
            yield from _secrets(value)
        elif key.lower() not in _NOT_SECRET and value.lower() not in ("true", "false"):
            yield value
    for pair in re.split(r"[?&#;]", rest[end:]):
        key, equals, value = pair.partition("=")
        if equals and key.lower() not in _NOT_SECRET and value.lower() not in ("true", "false"):
            yield value


def _remember(secret: str, instead: str, least: int = _LEAST) -> None:
    forms = {secret, unquote(secret), unquote_plus(secret)}
    forms |= {form for one in list(forms) for form in (quote(one, safe=""), quote_plus(one))}
    forms |= {quote(one) for one in list(forms)} | {repr(one)[1:-1] for one in forms}
    for form in forms:
        if len(form) >= least and form != instead:
            _remembered[form] = instead
