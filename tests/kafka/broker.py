"""Run a command beside a real Apache Kafka: `python -m tests.kafka.broker COMMAND ...`.

Fetches Kafka's jars with Maven (once), starts KRaft nodes on loopback in a temporary directory,
sets TOCSIN_TEST_KAFKA_URL for the command, and exits with the command's code. Needs a JDK >= 17
and Maven; says so when one is missing. Leaves nothing running, whatever happens to the command.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tocsin.cli.ports import any_free
from tocsin.process import die_with_parent

NODES = int(os.environ.get("WORKERS", "3"))
"""One for each pytest worker: they are clusters of their own, and share nothing."""

HERE = Path(__file__).parent
JARS = HERE.parents[1] / ".ci-cache" / "kafka"
_CLUSTER = "VG9jc2luLXRlc3QtY2x1c3Rlcg"
_CONFIG = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={directory}/log
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class Missing(Exception):
    """What is not there and what to do about it, in one line."""


def jars() -> Path:
    """The directory of Kafka's jars, fetched when the pom changed since the last time."""
    done = JARS / "pom.xml"
    if done.exists() and done.read_bytes() == (HERE / "pom.xml").read_bytes():
        return JARS
    if not shutil.which("mvn"):
        raise Missing("Maven is not here: install it (Debian: apt-get install maven)")
    shutil.rmtree(JARS, ignore_errors=True)
    print("fetching Apache Kafka's jars (about 43 MB, once)", flush=True)
    fetch = [
        "mvn", "-q", "-B", "-Dstyle.color=never", "-f", str(HERE / "pom.xml"),
        "dependency:copy-dependencies", f"-DoutputDirectory={JARS}", "-DincludeScope=runtime",
    ]  # fmt: skip
    ran = subprocess.run(fetch, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ran.returncode:
        raise Missing(f"Maven could not fetch Kafka's jars:\n{ran.stdout}{ran.stderr}")
    shutil.copy(HERE / "pom.xml", done)
    return JARS


def check_java() -> None:
    """Raise `Missing` unless `java` is a JDK or JRE of 17 or newer."""
    if not (java := shutil.which("java")):
        raise Missing("java is not here: install a JDK >= 17 (Debian: openjdk-17-jre-headless)")
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = said.split('"')[1].split(".")[0] if '"' in said else "0"
    if not version.isdigit() or int(version) < 17:
        raise Missing(f"Kafka 4 needs java >= 17, this one is {version}: {java}")


class Node:
    """One Kafka node whose files are in `directory`. It is tied to the thread that starts it."""

    def __init__(self, directory: Path) -> None:
        self._port, self._controller = any_free(), any_free()
        self._config, self._log = directory / "server.properties", directory / "broker.log"
        self.files = directory / "log"
        self._config.write_text(
            _CONFIG.format(port=self._port, controller=self._controller, directory=directory)
        )

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self._port}"

    def format(self) -> None:
        """Make its files, as long as there are none."""
        tool = ("kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(self._config))
        with self._log.open("wb") as out:
            subprocess.run(_java(f"{jars()}/*", *tool), check=True, stdout=out, stderr=out)

    @contextmanager
    def running(self) -> Iterator[None]:
        """It starts, and may not answer yet; it ends at the end."""
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                _java(f"{jars()}/*", "kafka.Kafka", str(self._config)), stdout=out, stderr=out,
                preexec_fn=lambda: die_with_parent(signal.SIGKILL),
            )  # fmt: skip
        try:
            yield
        finally:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def wait(self) -> None:
        """Return once it answers."""
        _wait(self._process, self._port, self._log)


@contextmanager
def brokers(directory: Path, number: int) -> Iterator[list[str]]:
    """So many nodes that know nothing of each other; their URLs, once they answer."""
    nodes = []
    for name in range(number):
        (directory / str(name)).mkdir()
        nodes.append(Node(directory / str(name)))
    nodes[0].format()
    for node in nodes[1:]:  # fresh files are all alike, and a JVM takes seconds to make them
        shutil.copytree(nodes[0].files, node.files)
    with ExitStack() as stack:
        for node in nodes:
            stack.enter_context(node.running())
        for node in nodes:
            node.wait()
        yield [node.url for node in nodes]


def _java(classpath: str, main: str, *args: str) -> list[str]:
    return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", classpath, main, *args]


def _wait(node: "subprocess.Popen[bytes]", port: int, log: Path, seconds: float = 90) -> None:
    """Return when the node accepts and says that it started; it accepts a little before that."""
    end = time.monotonic() + seconds
    while b"Kafka Server started" not in log.read_bytes() or not _accepts(port):
        if node.poll() is not None or time.monotonic() > end:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise Missing(f"Kafka did not start; its last words:\n{tail}")
        time.sleep(0.1)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def main(command: list[str]) -> int:
    """Start Kafka, run the command, and return its exit code."""
    check_java()
    jars()
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-kafka-") as made,
        brokers(Path(made), NODES) as urls,
    ):
        print(f"Apache Kafka answers at {', '.join(urls)}", flush=True)
        environment = {**os.environ, "TOCSIN_TEST_KAFKA_URL": " ".join(urls)}
        return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except Missing as error:
        sys.exit(f"test-kafka: {error}")
