"""Commands that are shown can be pasted: a shell reads back what was meant."""

import subprocess

import pytest

from trainability.commands import command, printable, python_command, quoted_word, variables

WORDS = [
    "plain", "two words", "[v2]", "[/a]", "$(echo no)", "`echo no`", "it's", '"quoted"', "ümlaut ≥",
    "-dash", "--", "new\nline", "ends\n", "tab\t", "a\\b", "\\", "", "~", "*", "!x", ";", "&&",
    "#no", ":smile:", "\x1b[31mred", "bell\x07\n", "\udcff.py", "a\x01b", "%s%d",
]  # fmt: skip


def read_back(line, shell="sh", **environment):
    """The words as a shell passes them on."""
    script = f"trainability() {{ printf '%s\\0' \"$@\"; }}\n{line}\n"
    done = subprocess.run(
        [shell], input=script.encode("utf-8", "surrogateescape"), capture_output=True, check=True,
        env={"PATH": "/usr/bin:/bin", **environment},
    )  # fmt: skip
    assert done.stderr == b""
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("word", WORDS, ids=ascii)
def test_a_shell_reads_back_what_was_meant(word, shell):
    line = command("run", word, storage=word)
    words = read_back(line, shell)
    if word.startswith("-"):
        assert words == ["run", f"--storage={word}", "--", word]
    else:
        assert words == ["run", word, "--storage", word]
    assert not printable(quoted_word(word)).count("\\x")


def test_an_address_with_secrets_is_a_variable_of_the_shell():
    secret = {"storage": "s3://KEY:SECRET@b/f", "tracking_uri": "http://me:pass@h:5000"}
    line = command("sync", "mine", **secret)
    assert line == (
        'trainability sync mine --storage "$TRAINABILITY_STORAGE" '
        '--tracking-uri "$MLFLOW_TRACKING_URI"'
    )
    given = {"TRAINABILITY_STORAGE": "s3://K:S$(x)@b", "MLFLOW_TRACKING_URI": "http://a b"}
    words = ["sync", "mine", "--storage", "s3://K:S$(x)@b", "--tracking-uri", "http://a b"]
    assert read_back(line, **given) == words
    assert variables(**secret) == {
        "TRAINABILITY_STORAGE": "s3://b/f",
        "MLFLOW_TRACKING_URI": "http://h:5000",
    }


def test_python_code_is_one_word():
    line = python_command("print('$HOME', \"[/a]\")").replace("python -c", "trainability")
    assert read_back(line) == ["print('$HOME', \"[/a]\")"]


def test_an_option_that_is_not_given_is_left_out():
    assert command("ui", storage="a", tracking_uri=None) == "trainability ui --storage a"
