"""The `ray up` files: valid for Ray, and really brought up, with stand-ins for ssh, pip and EC2."""

import subprocess
import time
from pathlib import Path

import pytest
import yaml
from played_machines import played

ROOT = Path(__file__).parent.parent.parent
CLUSTER = ROOT / "cluster"
FILES = ["on_premises.yaml", "aws.yaml"]
STUDY = """
from trainability import Adam, Study
from trainability.schemes import UnitSphere
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="tiny",
    question="Is it small?",
    task=AbsoluteValue(n_train=16),
    axes={"width": [2, 3, 4, 5]},
    scheme=UnitSphere(),
    optimizer=Adam(learning_rate=0.02),
    max_steps=100,
    tolerance=1e-2,
    replicates=256,
)
"""


def read(name):
    return yaml.safe_load((CLUSTER / name).read_text())


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_valid_for_ray(name):
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(read(name)))


@pytest.mark.parametrize("name", FILES)
def test_the_token_is_on_and_dashboards_are_on_loopback(name):
    config = read(name)
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    head, worker = config["head_start_ray_commands"][-1], config["worker_start_ray_commands"][-1]
    assert "RAY_AUTH_MODE=token ray start --head" in head
    assert "RAY_AUTH_MODE=token ray start --address" in worker
    assert "--dashboard-host=127.0.0.1" in head


@pytest.mark.parametrize("name", FILES)
def test_what_is_copied_to_the_machines_is_all_that_the_package_needs(name):
    mounts = {local for local in read(name)["file_mounts"].values() if not local.startswith("~")}
    assert mounts == {"pyproject.toml", "README.md", "trainability", "studies"}
    assert all((ROOT / local).exists() for local in mounts)


def test_the_machines_of_both_files_are_set_up_in_the_same_way():
    own, cloud = (read(name) for name in FILES)
    assert own["setup_commands"] == cloud["setup_commands"]
    assert own["worker_start_ray_commands"] == cloud["worker_start_ray_commands"]


def test_amazon_file_launches_instances(tmp_path, monkeypatch):
    """Ray's own launcher against moto's EC2: security group, key, then one head and one worker."""
    import boto3
    from moto import mock_aws
    from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
    from ray.autoscaler._private.util import prepare_config, validate_config

    monkeypatch.setenv("HOME", str(tmp_path))  # for the key
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        boto3.client("iam").create_instance_profile(InstanceProfileName="trainability")
        config = prepare_config(read("aws.yaml"))
        config = AWSNodeProvider.fillout_available_node_types_resources(config)
        validate_config(config)
        kinds = config["available_node_types"]
        assert kinds["head"]["resources"] == {"CPU": 0}
        assert kinds["worker"]["resources"]["CPU"] == 16
        assert kinds["worker"]["min_workers"] == kinds["worker"]["max_workers"]
        config = AWSNodeProvider.bootstrap_config(config)
        provider = AWSNodeProvider(config["provider"], config["cluster_name"])
        for kind in kinds:
            made = provider.create_node(
                dict(config["available_node_types"][kind]["node_config"]),
                {"ray-node-type": kind, "ray-node-name": kind, "ray-user-node-type": kind},
                1,
            )
            assert len(made) == 1
        for group in boto3.client("ec2", "us-west-2").describe_security_groups()["SecurityGroups"]:
            if group["GroupName"].startswith("ray-autoscaler"):
                anywhere = [
                    rule["FromPort"]
                    for rule in group["IpPermissions"]
                    if any(r["CidrIp"] == "0.0.0.0/0" for r in rule["IpRanges"])
                ]
                assert anywhere == [22]


def test_on_premises_file_brings_up_a_cluster_that_runs_a_study():
    """`ray up` as a whole, from a third machine; ssh and rsync are stand-ins, Ray is Ray."""
    laptop, head, worker = "127.0.0.4", "127.0.0.2", "127.0.0.3"
    with played(laptop, head, worker) as machines:
        config = read("on_premises.yaml")
        config["provider"] |= {"head_ip": head, "worker_ips": [worker]}
        file = machines.folder / "on_premises.yaml"
        file.write_text(yaml.safe_dump(config, width=1000))
        (machines.folder / "tiny.py").write_text(STUDY)
        results = machines.folder / "results"

        def ray(*arguments):
            done = subprocess.run(
                ["ray", *arguments],
                cwd=ROOT,
                env=machines.environment(laptop),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=300,
            )
            return done.returncode, done.stdout + done.stderr

        def succeed(*arguments):
            code, text = ray(*arguments)
            assert code == 0, text
            return text

        succeed("get-auth-token", "--generate")
        succeed("up", "--yes", str(file))
        log = machines.folder / head / "ray" / "session_latest" / "logs" / "monitor.out"
        end = time.monotonic() + 240
        while "Ray runtime started" not in log.read_text():
            assert time.monotonic() < end, "the worker did not join"
            time.sleep(0.5)
        study = f"trainability run {machines.folder}/tiny.py --address auto --storage {results}"
        text = succeed("exec", str(file), f"{study} && ray status")
        assert "2 local.cluster.node" in text or "/2.0 CPU" in text, text
        code, text = ray("exec", str(file), "RAY_AUTH_MODE=disabled ray status")
        assert code != 0 and "AuthenticationError" in text, text
        assert len(list(results.glob("tiny/*/blocks-*.parquet"))) == 4
        installed = (machines.home(worker) / "pip.log").read_text()
        assert installed.endswith(f"-e {machines.home(worker)}/trainability\n")
        succeed("down", "--yes", str(file))
        assert not [p for p in machines.processes() if p.environ()["PLAYED_ADDRESS"] == head]
