#!/usr/bin/env bash
# A study on the nodes of a Slurm job; what follows the name of this file goes to `trainability run`:
#     sbatch --nodes=4 cluster/slurm.sh absolute_value --storage /shared/results
# The same again goes on where the time limit, or whatever else, ended it.
#SBATCH --job-name=trainability
#SBATCH --output=%x-%j.log
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --time=04:00:00
# One Ray per machine: `ray stop`, which ends it, does not look whose it is.
#SBATCH --exclusive
# Three minutes before the limit, so that MLflow is told that the study was ended.
#SBATCH --signal=B:TERM@180
# shellcheck disable=SC2016,SC2329 # inner shells expand; traps call
set -euo pipefail

cd "${SLURM_SUBMIT_DIR:?this script is for sbatch}"
venv=${VIRTUAL_ENV:-$PWD/.venv} # on a disk that all nodes mount
export PATH="$venv/bin:$PATH"

export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))') # of this job alone
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=300
export RAY_TMPDIR="/tmp/trainability-$SLURM_JOB_ID" # on each node's own disk

nodes=$SLURM_JOB_NUM_NODES
cpus=${SLURM_CPUS_ON_NODE:?}
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1) # where this script runs
address=$head:6379
everywhere=(srun --overlap --nodes="$nodes" --ntasks="$nodes" --ntasks-per-node=1
    --cpus-per-task="$cpus" --cpu-bind=none)
driver=$RAY_TMPDIR/driver # its process id and, when it has ended, its exit code

clean_up() {
    "${everywhere[@]}" bash -c 'ray stop --force >/dev/null 2>&1; rm -rf "$RAY_TMPDIR"' || true
}
end_study() { # in order: it tells MLflow, and Ray is stopped after it
    if [ -s "$driver.pid" ]; then kill -TERM "$(cat "$driver.pid")" || true; fi
}
trap clean_up EXIT
trap end_study TERM INT
"${everywhere[@]}" mkdir -p -m 700 "$RAY_TMPDIR"

# When the head is done the others have 5 s; of themselves they would end after a minute, noisily.
"${everywhere[@]}" --wait=5 ray symmetric-run --address "$address" --min-nodes "$nodes" \
    --num-cpus="$cpus" --num-gpus="${SLURM_GPUS_ON_NODE:-0}" \
    -- bash -c '(echo "$BASHPID" >"$0.pid"; exec trainability run "$@"); echo "$?" >"$0.exit"' \
    "$driver" "$@" --address "$address" &
step=$!
while kill -0 "$step" 2>/dev/null; do wait "$step" || true; done # a signal ends a wait, not the step

# `ray symmetric-run` ends with 0 where Ray itself does not start.
if [ ! -s "$driver.exit" ]; then
    echo "the study was not started: Ray did not come up on $nodes nodes with head $head" >&2
    exit 1
fi
exit "$(cat "$driver.exit")"
