"""What the cluster files tell a reader or a machine to run exists, in the versions installed."""

import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
import yaml
from ray.scripts.scripts import cli as ray

from trainability.cli.commands import app

ROOT = Path(__file__).parent.parent.parent
CLUSTER = ROOT / "cluster"
FILES = sorted(path for path in CLUSTER.rglob("*") if path.is_file())
README = (CLUSTER / "README.md").read_text()
PROGRAMS = {"trainability": typer.main.get_command(app), "ray": ray}


def strings(node):
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from strings(child)


def texts(path):
    """The file as lines in which each command is whole."""
    text = path.read_text().replace("\\\n", " ")
    yield from text.splitlines()
    if path.suffix == ".yaml":
        for document in yaml.safe_load_all(text):
            yield from strings(document)


def commands(path):
    """What is told to a program in a file: its words up to the end of the command."""
    for line in texts(path):
        for start in re.finditer(r"(?:^|[\s\"'`(/])(trainability|ray) (?=[a-z])", line):
            rest = re.split(r"[\"'`|;&)<>]| -- ", line[start.end() :])[0]
            yield start[1], rest.split()


def resolve(program, words):
    """The command, below its groups, that words lead to; None if there is no such."""
    command = PROGRAMS[program]
    if program == "trainability" and words and words[0] in command.list_commands(None):
        command.resolve_command(None, words)  # it is only listed until it is to be run
    for word in words:
        if not hasattr(command, "commands"):
            return command
        command = command.commands.get(word)
        if command is None:
            return None
    return command


def options(command):
    return {name for parameter in command.params for name in parameter.opts} | {"--help"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_command_and_option_exists(path):
    for program, words in commands(path):
        command = resolve(program, words)
        assert command is not None, f"{program} {' '.join(words)}"
        accepted = options(command)
        if "symmetric-run" in words:
            accepted |= options(ray.commands["start"])
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert asked <= accepted, f"{program} {' '.join(words)}"


def test_the_commands_are_found_where_they_are():
    """So that the test above can't pass by finding nothing."""
    named = {
        path.name: {(program, words[0]) for program, words in commands(path)} for path in FILES
    }
    start = {("ray", "start"), ("ray", "stop"), ("ray", "up"), ("ray", "get-auth-token")}
    assert start <= named["on_premises.yaml"] and start <= named["aws.yaml"]
    assert {("ray", "symmetric-run"), ("trainability", "run")} <= named["slurm.sh"]
    assert ("trainability", "run") in named["study.yaml"]
    for program, name in [("ray", "up"), ("ray", "exec"), ("ray", "job"), ("ray", "down"),
                          ("trainability", "run"), ("trainability", "sync")]:  # fmt: skip
        assert (program, name) in named["README.md"]


def test_options_of_a_submitted_job_exist_in_the_image_of_kuberay():
    """Options in `rayStartParams` are those of `ray start`."""
    (job,) = yaml.safe_load_all((CLUSTER / "kubernetes" / "study.yaml").read_text())
    cluster = job["spec"]["rayClusterSpec"]
    for group in [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]:
        assert {f"--{name}" for name in group["rayStartParams"]} <= options(ray.commands["start"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_versions_are_those_that_are_installed(path):
    text = path.read_text()
    for package, wanted in re.findall(r"([\w-]+)(?:\[[\w,]+\])?==([\d.]+)", text):
        assert version(package) == wanted
    for own, of_ray in re.findall(r"trainability:([\d.]+)-ray([\d.]*\d)", text):
        assert (own, of_ray) == (version("trainability"), version("ray"))
    for wanted in re.findall(r"(?:rayVersion: \"|Ray \(?)(2\.[\d.]*\d)", text):
        assert version("ray") == wanted


def test_versions_are_named_where_machines_are_made():
    named = [path.name for path in FILES if version("ray") in path.read_text()]
    wanted = {"on_premises.yaml", "aws.yaml", "Dockerfile", "study.yaml", "services.yaml"}
    assert wanted <= set(named)


def test_shell_scripts_are_clean():
    shellcheck = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run(
        [shellcheck, *CLUSTER.glob("*.sh")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_shell_commands_of_the_readme_are_clean():
    shellcheck = Path(sys.executable).parent / "shellcheck"
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    assert len(blocks) > 10
    done = subprocess.run(
        [shellcheck, "--shell=bash", "--exclude=SC2088", "-"],  # ~ is for the other machine
        input="\n".join(blocks),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_policies_of_the_readme_are_json():
    policies = re.findall(r"-policy-document '(.*)'", README)
    assert len(policies) == 2
    assert all(json.loads(policy)["Version"] == "2012-10-17" for policy in policies)


def test_files_that_the_readme_names_exist_and_all_files_are_named():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links and all((CLUSTER / link).exists() for link in links)
    mentioned = re.findall(r"(?<![\w/.])(?:tests/)?cluster/[\w./]+", README)
    assert mentioned and all((ROOT / name).exists() for name in mentioned)
    for path in FILES:
        assert path.name == "README.md" or path.name in README


@pytest.mark.parametrize("anchor", re.findall(r"\]\(#([^)]+)\)", README))
def test_headings_that_the_readme_points_to_exist(anchor):
    headings = re.findall(r"^## (.*)$", README, re.M)
    assert anchor in [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]


def test_messages_that_the_readme_promises_are_in_the_code():
    section = README.split("## What can fail")[1].split("\n## ")[0]
    seen = [row.split("|")[2] for row in section.splitlines() if row.startswith("| ")][1:]
    messages = [message for cell in seen for message in re.findall(r"`([^`]+)`", cell)]
    code = "".join(path.read_text() for path in (ROOT / "trainability").rglob("*.py"))
    assert len(messages) > 8
    assert [message for message in messages if message not in code] == []


def test_measurements_that_the_readme_names_can_be_repeated():
    programs = re.findall(r"tests/scale/\w+\.py", README)
    assert programs and all((ROOT / program).exists() for program in programs)


def test_studies_that_are_named_exist():
    for path in FILES:
        for name in re.findall(r"studies/(\w+)\.py", path.read_text()):
            assert (ROOT / "studies" / f"{name}.py").exists()


def test_the_image_copies_what_exists_and_runs_as_nobody_special():
    lines = (CLUSTER / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    copied = [name for word, rest in steps if word == "COPY" for name in shlex.split(rest)[:-1]]
    assert set(copied) == {"pyproject.toml", "README.md", "trainability", "studies"}
    assert all((ROOT / name).exists() for name in copied)
    base = next(rest for word, rest in steps if word == "FROM")
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", base)
    users = [rest for word, rest in steps if word == "USER"]
    assert users[-1].isdigit() and int(users[-1]) > 0
    study = (CLUSTER / "kubernetes" / "study.yaml").read_text()
    folder = next(rest for word, rest in steps if word == "WORKDIR")
    assert f"{folder}/studies/" in study
