"""Ray's own command line on a played machine: it knows no process but those of that machine.

Of what it is told it changes the port, and it adds the machine's address and ports that are free.
"""

import os
import sys
from collections import namedtuple

import psutil
from processes import free_port
from ray.scripts.scripts import main

MACHINE, ADDRESS = os.environ["PLAYED_MACHINE"], os.environ["PLAYED_ADDRESS"]
Interface = namedtuple("Interface", "family address")
all_processes = psutil.process_iter


def own_processes(attributes=None):
    for process in all_processes(attributes):
        try:
            if process.environ().get("PLAYED_MACHINE") == MACHINE:
                yield process
        except psutil.Error:
            continue


def own_addresses():
    return {"played": [Interface(2, ADDRESS)]}


psutil.process_iter = own_processes
psutil.net_if_addrs = own_addresses
arguments = [text.replace("6379", os.environ["PLAYED_PORT"]) for text in sys.argv[1:]]
if arguments[0] == "start":
    arguments += ["--num-cpus=1", "--min-worker-port=0", "--max-worker-port=0"]
    arguments += [f"--node-ip-address={ADDRESS}", f"--dashboard-agent-listen-port={free_port()}"]
    if "--head" in arguments:
        arguments += [f"--ray-client-server-port={free_port()}", f"--dashboard-port={free_port()}"]
sys.argv[1:] = arguments

if __name__ == "__main__":
    sys.exit(main())
