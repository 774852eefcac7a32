"""`srun --nodes=N [--wait=SECONDS] command...` on N machines that are played.

Ends with the worst exit code of its tasks; those that are left so many seconds after the first has
ended are killed.
"""

import os
import subprocess
import sys
import time

import psutil

options = {"--wait": "inf"}
for text in sys.argv[1:]:
    name, _, value = text.partition("=")
    if name in ("--nodes", "--wait"):
        options[name] = value
first_word = next(k for k, text in enumerate(sys.argv[1:], 1) if not text.startswith("--"))
machines = os.environ["PLAYED_NODES"].split()[: int(options["--nodes"])]
tasks = [
    subprocess.Popen(
        sys.argv[first_word:],
        env=os.environ
        | {
            "PLAYED_MACHINE": f"{os.environ['PLAYED_FOLDER']}:{machine}",
            "PLAYED_ADDRESS": machine,
        },
    )
    for machine in machines
]
while all(task.poll() is None for task in tasks):
    time.sleep(0.1)
end = time.monotonic() + float(options["--wait"])
while any(task.poll() is None for task in tasks):
    time.sleep(0.1)
    if time.monotonic() > end:  # Slurm kills whatever its step has started
        for task in tasks:
            if task.poll() is None:
                for process in psutil.Process(task.pid).children(recursive=True):
                    process.kill()
                task.kill()
sys.exit(max(task.wait() % 256 for task in tasks))
