"""No text that is shown holds the user, password or query of an address."""

import pickle

import pytest

from trainability import addresses
from trainability.addresses import has_secrets, remember, shown, without_secrets
from trainability.errors import StorageError
from trainability.storage import Storage

PLACES = {
    "s3://AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI@bucket/folder": "s3://bucket/folder",
    # Keys of S3 have slashes, and are put into addresses as they are.
    "s3://AKIAIOSFODNN7EXAMPLE:wJal/XUt+nFEMI@bucket/folder": "s3://bucket/folder",
    "s3://AKIAIOSFODNN7EXAMPLE:1234/XUt?nFEMI@bucket": "s3://bucket",
    "s3://bucket/folder@2026": "s3://bucket/folder@2026",
    "s3://bucket/a?region=eu&session_token=Zm9vYmFyZm9v": "s3://bucket/a",
    "http://alice:Pa55word@host:5000/mlflow": "http://host:5000/mlflow",
    "http://alice:Pa%40ss%2Fword@host:5000": "http://host:5000",
    "http://alice:Pa@ss#word@host:5000": "http://host:5000",
    "http://[::1]:5000/a?token=Zm9vYmFy#frag": "http://[::1]:5000/a",
    "postgresql+psycopg2://u5er:Pa55word@db:5432/mlflow?sslmode=require": (
        "postgresql+psycopg2://db:5432/mlflow"
    ),
    "https://account.blob.core.windows.net/c/f?sv=2024&sig=Zm9vYmFyZm9v%3D": (
        "https://account.blob.core.windows.net/c/f"
    ),
    "abfss://data:k3yk3yk3y@acc.dfs.core.windows.net/f": "abfss://data@acc.dfs.core.windows.net/f",
    "ray://alice:Pa55word@head:10001?token=Zm9vYmFy": "ray://head:10001",
    "mssql://host/db;user=alice;password=Pa55word": "mssql://host/db",
    "mlflow-artifacts://h/p/https://alice:Pa55word@other/x": "mlflow-artifacts://h/p/https://other/x",
    "sqlite:////data/run #1/mlflow.db": "sqlite:////data/run #1/mlflow.db",
    "/home/me/a@b?c=d": "/home/me/a@b?c=d",
    "10.0.0.1:6379": "10.0.0.1:6379",
    "auto": "auto",
}  # fmt: skip
SECRETS = (
    "AKIAIOSFODNN7EXAMPLE", "wJal", "nFEMI", "Zm9v", "Pa55word", "Pa%40ss", "ss#word", "ss/word",
    "k3yk3yk3y", "alice",
)  # fmt: skip


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Each test begins with no address remembered."""
    monkeypatch.setattr(addresses, "_remembered", {})
    monkeypatch.setattr(addresses, "_users", set())


@pytest.mark.parametrize("address", PLACES)
def test_an_address_is_shown_without_its_secrets(address):
    assert shown(address) == PLACES[address]
    assert has_secrets(address) == (address != PLACES[address])
    assert shown(shown(address)) == shown(address)


@pytest.mark.parametrize("address", PLACES)
@pytest.mark.parametrize(
    "text",
    [
        "OSError: When opening '{}': access denied",
        "Cannot parse URI: {}",
        'ConnectionError("{}, retried 3 times")',
        "<{}>; wanted an address such as s3://bucket/folder",
    ],
)
def test_a_text_that_quotes_an_address_is_shown_without_its_secrets(address, text):
    remember(address)
    said = without_secrets(text.format(address))
    assert not [secret for secret in SECRETS if secret in said]
    assert PLACES[address] in said


@pytest.mark.parametrize(
    ("address", "text", "wanted"),
    [
        # As libraries put it, in parts and decoded.
        (
            "http://bob:Pa%40ss-word@h",
            "could not log in as 'bob' with 'Pa@ss-word'",
            "could not log in as 'bob' with '***'",
        ),
        ("http://bob:p/ss-word@h", "invalid port: 'p/ss-word'", "invalid port: '***'"),
        (
            "postgresql://bob:Pa55word@h/d",
            'FATAL: password authentication failed for user "bob"',
            'FATAL: password authentication failed for user "***"',
        ),
        (
            "s3://AKIAIOSFODNN7EXAMPLE:wJal/XUt+nFEMI@b",
            "key AKIAIOSFODNN7EXAMPLE, secret wJal%2FXUt%2BnFEMI",
            "key ***, secret ***",
        ),
        (
            "s3://b?endpoint_override=http://x:Pa55word@h&region=eu-1",
            "Pa55word in eu-1",
            "*** in eu-1",
        ),
        ("", "url: /api/2.0/x?token=Zm9vYmFy (Caused by", "url: /api/2.0/x?token=*** (Caused by"),
        ("", "host=h password=Pa55word dbname=d", "host=h password=*** dbname=d"),
        ("", "{'aws_secret_access_key': 'wJal'}", "{'aws_secret_access_key': '***'}"),
        ("", "Authorization: Bearer Zm9vYmFy", "Authorization: Bearer ***"),
        ("", "at http%3A%2F%2Fbob%3APa55word%40h%2Fx", "at http://h/x"),
        ("", "no node at bob:Pa55word@head:6379", "no node at ***@head:6379"),
    ],
)
def test_secrets_are_left_out_wherever_and_however_they_stand(address, text, wanted):
    remember(address)
    assert without_secrets(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "width must be an int >= 1, got '8'; did you mean width=[8]?",
        "mine.py:12: f(x) = a @ b, got {'seed': 0}",
        "see https://arxiv.org/abs/1907.09696, and s3://bucket/folder.",
        "12:30 me@host.org, ratio 3:4",
    ],
)
def test_other_texts_stay_as_they_are(text):
    remember("http://a:b@h")  # shorter than what could be looked for in a text
    assert without_secrets(text) == text


def test_secrets_of_the_environment_are_remembered(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a long password")
    monkeypatch.setenv("TRAINABILITY_STORAGE", "s3://k:wJalrXUtnFEMI@b")
    addresses.remember_environment()
    assert without_secrets("a long password, wJalrXUtnFEMI") == "***, ***"


def test_our_errors_never_tell_secrets_also_from_another_process():
    with pytest.raises(StorageError) as caught:
        Storage("s3://KEYKEY12:wJalrXUtnFEMI@bucket/a?regions=oh")
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert "s3://bucket/a can't be used" in str(error)
        assert "wJalrXUtnFEMI" not in str(error) and "KEYKEY12" not in str(error)
