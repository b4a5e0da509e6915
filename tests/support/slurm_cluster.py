"""A private Slurm cluster on loopback: a controller and one node of fake GPUs, in one folder.

The machine's own Slurm is neither used nor changed: configuration, key, sockets, state and ports
are the folder's, and SLURM_CONF points every command to it.
"""

import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.checkout import CONFIG, Checkout

PATIENCE_S = 900  # for a run, on two busy cores
GPUS = 2
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
PARTITION = "main"
CONF = """\
ClusterName=thinslice
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=3600
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName={partition} Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Reason why no cluster can be started here; None if it can."""
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if absent:
        return f"Slurm is not installed ({', '.join(absent)}): see make test-slurm"
    if os.geteuid() != 0:
        return "only root can start a Slurm node"
    return None


@dataclass
class Cluster:
    """A running cluster; its commands run in ``env``."""

    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """Snakemake as a site runs it, with the tiny config and frequent status checks."""
        often = ["--slurm-init-seconds-before-status-checks", "1"]
        profile = ["--workflow-profile", "profiles/slurm", "--configfile", CONFIG]
        return [sys.executable, "-m", "snakemake", *profile, *often, *arguments]

    def start(self, checkout: Checkout, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a driver in a checkout; its output is appended to driver.log there."""
        with (checkout.folder / "driver.log").open("ab") as log:
            return subprocess.Popen(
                self.command(*arguments), cwd=checkout.folder, stdout=log, stderr=log,
                env={**checkout.env(), **self.env}, start_new_session=True,
            )  # fmt: skip

    def run(self, checkout: Checkout, *arguments: str) -> str:
        """Run a driver, which must succeed; the output of it and of earlier drivers."""
        driver = self.start(checkout, *arguments)
        try:
            ended = driver.wait(PATIENCE_S)
        finally:
            driver.kill()
        log = (checkout.folder / "driver.log").read_text()
        assert ended == 0, log
        return log

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        slurm = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        return {**os.environ, "PATH": path, **slurm, "THINSLICE_UNUSED_GPU": "allow"}  # pretend

    def ask(self, *command: str) -> str:
        """Output of a Slurm command."""
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def jobs(self, checkout: Checkout, rule: str) -> dict[str, str]:
        """States of the jobs of a rule that a checkout submitted, by job number."""
        listed = self.ask("squeue", "--noheader", "--states=all", "--format=%i|%T|%k|%Z")
        rows = [line.split("|", 3) for line in listed.splitlines()]
        return {
            number: state
            for number, state, comment, folder in rows
            if folder == str(checkout.folder) and comment.startswith(f"rule_{rule}_")
        }

    def wait_for(self, checkout: Checkout, rule: str, state: str) -> str:
        """Wait for a job of a rule to reach a state; its number."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for number, current in self.jobs(checkout, rule).items():
                if current == state:
                    return number
            time.sleep(0.1)
        raise AssertionError(f"no {rule} job became {state} in {PATIENCE_S} s")


@contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    """A cluster that runs during the block and is stopped in any case."""
    _configure(folder)
    cluster, daemons = Cluster(folder), []
    try:
        for command in _commands(folder):
            daemons.append(_start(command, cluster))
        _wait_until_idle(cluster)
        yield cluster
    finally:
        subprocess.run(["scancel", "--full", "--user=root"], env=cluster.env, capture_output=True)
        _wait_until_empty(cluster)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in reversed(daemons):
            _reap(daemon)


def _configure(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge.key").chmod(0o400)
    for number in range(GPUS):  # clones of /dev/null: Slurm needs a device file
        os.mknod(folder / f"gpu{number}", 0o20666, os.makedev(1, 3))
    host = socket.gethostname().split(".")[0]
    conf = CONF.format(
        host=host, folder=folder, gpus=GPUS, partition=PARTITION,
        controller_port=_free_port(), node_port=_free_port(),
    )  # fmt: skip
    (folder / "slurm.conf").write_text(conf)
    _wrap_srun(folder)
    devices = f"{folder}/gpu[0-{GPUS - 1}]"
    (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File={devices}\n")
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")


def _wrap_srun(folder: Path) -> None:
    """Write an srun with SLURM_CONF set: the executor removes all SLURM_* variables."""
    script = folder / "bin/srun"
    script.parent.mkdir()
    conf = shlex.quote(str(folder / "slurm.conf"))
    script.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {shutil.which("srun")} "$@"\n')
    script.chmod(0o755)


def _commands(folder: Path) -> list[list[str]]:
    """Commands of the three daemons in order of dependence, each in the foreground."""
    conf = str(folder / "slurm.conf")
    files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munge.pid"}
    files |= {"seed-file": "munge.seed", "log-file": "munge.log"}
    munge = [f"--{option}={folder / name}" for option, name in files.items()]
    return [
        ["munged", "--foreground", "--force", *munge],
        ["slurmctld", "-D", "-f", conf],
        ["slurmd", "-D", "-f", conf],
    ]


def _start(command: list[str], cluster: Cluster) -> subprocess.Popen[bytes]:
    with (cluster.folder / f"{command[0]}.out").open("wb") as out:
        daemon = subprocess.Popen(command, env=cluster.env, stdout=out, stderr=out)
    if command[0] == "munged":
        _until(lambda: (cluster.folder / "munge.socket").exists(), "munged made no socket")
    return daemon


def _reap(daemon: subprocess.Popen[bytes]) -> None:
    try:
        daemon.wait(20)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _wait_until_idle(cluster: Cluster) -> None:
    def idle() -> bool:
        command = ["sinfo", "--noheader", "--format=%T"]
        done = subprocess.run(command, env=cluster.env, capture_output=True, text=True)
        return done.stdout.strip() == "idle"

    _until(idle, f"the node did not become idle: see {cluster.folder}/*.log")


def _wait_until_empty(cluster: Cluster, patience_s: float = 30) -> None:
    """Wait at most ``patience_s`` until no job is left: the daemons must stop in any case."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        command = ["squeue", "--noheader"]
        left = subprocess.run(command, env=cluster.env, capture_output=True, text=True)
        if left.returncode != 0 or not left.stdout.strip():
            return
        time.sleep(0.3)


def _until(done: Callable[[], bool], otherwise: str, patience_s: float = 30) -> None:
    end = time.monotonic() + patience_s
    while not done():
        if time.monotonic() > end:
            raise RuntimeError(otherwise)
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
