"""What programs do with Docker's SDK for Python. `scenarios.py NAME` runs one; a wrong answer fails an assertion."""
import io
import sys
import tarfile
import time

import docker
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound
from docker.utils.socket import next_frame_header, read_exactly

NAME, PREFIX = sys.argv[1], sys.argv[2]
client = docker.from_env(version="auto", timeout=60)


LABELS = {"scenario": PREFIX}
MINE = {"label": f"scenario={PREFIX}"}


def start(*command, **options):
    return client.containers.run("busybox", command, detach=True, init=True, labels=LABELS, **options)


def sleeper(**options):
    return start("sleep", "1000", **options)


def run():
    assert client.containers.run("busybox", ["echo", "hello"], remove=True) == b"hello\n"
    try:
        client.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2; exit 3"], remove=True)
    except ContainerError as error:
        assert (error.exit_status, error.stderr) == (3, b"err\n"), error
    else:
        raise AssertionError("no error")


def run_stream():
    command = ["sh", "-c", "echo one; echo two; echo three"]
    lines = client.containers.run("busybox", command, stream=True, labels=LABELS)
    assert list(lines) == [b"one\n", b"two\n", b"three\n"]


def logs():
    container = start("sh", "-c", "echo one; echo two; echo err >&2; sleep 1000")
    follow = container.logs(stream=True, follow=True, stderr=False)
    assert [next(follow), next(follow)] == [b"one\n", b"two\n"]
    while b"err\n" not in container.logs():
        time.sleep(0.05)
    assert container.logs(stdout=False) == b"err\n"
    assert container.logs(tail=1, stderr=False) == b"two\n"
    first = container.logs(timestamps=True, stderr=False).split(b"\n")[0]
    assert first.endswith(b"Z one"), first


def attach_before_start():
    for extra in ({}, {"logs": 1}):
        container = client.api.create_container("busybox", ["printf", "no newline"], labels=LABELS)
        socket = client.api.attach_socket(container, {"stdout": 1, "stream": 1, **extra})
        client.api.start(container)
        assert next_frame_header(socket) == (1, 10)
        assert read_exactly(socket, 10) == b"no newline"
        assert next_frame_header(socket)[0] == -1
        socket.close()


def execs():
    container = sleeper()
    code, output = container.exec_run(["sh", "-c", "echo out; echo err >&2; exit 4"], demux=True)
    assert (code, output) == (4, (b"out\n", b"err\n")), (code, output)
    assert container.exec_run("pwd", workdir="/tmp").output == b"/tmp\n"
    assert container.exec_run(["sh", "-c", "echo $WORD"], environment={"WORD": "x"}).output == b"x\n"
    exec_id = client.api.exec_create(container.id, "cat", stdin=True)["Id"]
    socket = client.api.exec_start(exec_id, socket=True)
    socket._sock.sendall(b"typed")
    assert next_frame_header(socket) == (1, 5)
    assert read_exactly(socket, 5) == b"typed"
    assert client.api.exec_inspect(exec_id)["Running"]
    socket.close()


def life():
    container = sleeper()
    assert [c.id for c in client.containers.list(filters=MINE)] == [container.id]
    container.pause()
    container.reload()
    assert container.status == "paused"
    container.unpause()
    container.rename(f"{PREFIX}-other")
    container.update(mem_limit="64m", memswap_limit="64m")
    container.reload()
    assert (container.name, container.attrs["HostConfig"]["Memory"]) == (f"{PREFIX}-other", 64 << 20)
    assert "PID" in container.top(ps_args="aux")["Titles"]
    assert container.stats(stream=False)["memory_stats"]["usage"] > 0
    samples = container.stats(stream=True, decode=True)
    assert next(samples)["id"] == container.id
    try:
        container.remove()
    except APIError as error:
        assert error.status_code == 409 and "container is running" in error.explanation, error
    else:
        raise AssertionError("no error")
    container.restart(timeout=1)
    container.kill("SIGKILL")
    assert container.wait()["StatusCode"] == 137
    container.remove(v=True)
    for missing in (container.reload, lambda: client.volumes.get(PREFIX)):
        try:
            missing()
        except NotFound:
            continue
        raise AssertionError("no error")


def files():
    container = sleeper()
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        entry = tarfile.TarInfo("file")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"data"))
    assert container.put_archive("/tmp", content.getvalue())
    chunks, stat = container.get_archive("/tmp/file")
    assert (stat["name"], stat["size"]) == ("file", 4), stat
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        assert archive.extractfile("file").read() == b"data"
    assert {"Path": "/tmp/file", "Kind": 1} in container.diff()
    assert sum(len(chunk) for chunk in container.export()) > 512
    image = container.commit(PREFIX, "one", changes='CMD ["cat", "/tmp/file"]')
    assert client.containers.run(image.id, remove=True) == b"data"
    archive = b"".join(image.save(named=True))
    client.images.remove(f"{PREFIX}:one")
    try:
        client.images.get(f"{PREFIX}:one")
    except ImageNotFound:
        pass
    else:
        raise AssertionError("no error")
    (loaded,) = client.images.load(archive)
    assert loaded.tags == [f"{PREFIX}:one"], loaded.tags
    client.images.remove(f"{PREFIX}:one")


def events():
    since = int(time.time()) - 1
    container = start("true")
    container.wait()
    stream = client.events(since=since, filters={"container": container.id}, decode=True)
    actions = []
    while "die" not in actions:
        actions.append(next(stream)["Action"])
    stream.close()
    assert [action for action in actions if action != "attach"] == ["create", "start", "die"], actions


def health():
    container = sleeper(healthcheck={"test": ["CMD", "true"], "interval": 200_000_000, "timeout": 5_000_000_000})
    while client.api.inspect_container(container.id)["State"]["Health"]["Status"] != "healthy":
        time.sleep(0.05)


def volumes():
    volume = client.volumes.create(PREFIX, labels=LABELS)
    assert [v.name for v in client.volumes.list(filters=MINE)] == [PREFIX]
    mount = {PREFIX: {"bind": "/data", "mode": "rw"}}
    client.containers.run("busybox", ["sh", "-c", "echo kept > /data/file"], volumes=mount, remove=True)
    assert client.containers.run("busybox", ["cat", "/data/file"], volumes=mount, remove=True) == b"kept\n"
    volume.remove()


try:
    globals()[NAME]()
finally:
    for left in client.containers.list(all=True, filters=MINE):
        left.remove(force=True, v=True)
