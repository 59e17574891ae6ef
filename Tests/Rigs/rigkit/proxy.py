"""Real reverse proxies with the configurations of deploy/, and what is needed to look through them.

The only changes to what is shipped: the port, the certificate and the relay's address, and for nginx
the frame around it (pid, logs, temporary files, all in the rig's own folder).
"""
import atexit
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time

from .relay import ROOT, Failed, Relay, check, die_with_parent
from .wire import Client

GIVEN = set()  # ports, by free_port


def free_port():
    """A port for a process that cannot tell which one it was given. It lies below those that the
    kernel gives to others, so that it stays free while the process is down."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in range(10000 + os.getpid() % 10000, lowest):
        if port not in GIVEN:
            try:
                with socket.create_server(("127.0.0.1", port)):
                    GIVEN.add(port)
                    return port
            except OSError:
                pass
    raise Failed("no free port")


def certificate(folder):
    """A self-signed certificate for localhost: (certificate, key)."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True)
    return cert, key


class Proxy:
    """One proxy process in front of `upstream`; `start` may be called again after `kill`."""

    def __init__(self, folder, upstream, cert, key):
        folder.mkdir()
        self.folder, self.upstream, self.cert, self.key = folder, upstream, cert, key
        self.port, self.process = free_port(), None
        self.log = folder / "error.log"
        atexit.register(self.kill)

    def start(self):
        command = self.command()
        with open(self.folder / "output", "ab") as output:
            self.process = subprocess.Popen(
                command, env=os.environ | self.environment(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, preexec_fn=die_with_parent)
        for _ in range(400):
            check(self.process.poll() is None, f"{command[0]} ended: {self.tail()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.025)
        check(False, f"{command[0]} does not listen: {self.tail()}")

    def kill(self):
        """kill -9: what it had in hand is gone."""
        if self.process is not None:
            try:
                # nginx's workers, too: they outlive a master that ended with the thread that had
                # started it (PR_SET_PDEATHSIG).
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # all of them have ended
            self.process.wait()
        self.process = None

    def tail(self):
        return (self.folder / "output").read_text(errors="replace")[-600:]

    def environment(self):
        return {}

    def client(self, token=None, timeout=30, **headers):
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return SecureClient(self.port, self.cert, headers, timeout)

    @property
    def url(self):
        return f"https://localhost:{self.port}"


class Nginx(Proxy):
    def command(self):
        site = (ROOT / "deploy" / "nginx.conf").read_text()
        for shipped, here in (
                ("server 127.0.0.1:8080;", f"server 127.0.0.1:{self.upstream};"),
                ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
                ("/etc/ssl/a2a-relay/cert.pem", str(self.cert)),
                ("/etc/ssl/a2a-relay/key.pem", str(self.key))):
            check(site.count(shipped) == 1, f"deploy/nginx.conf has no single \"{shipped}\"")
            site = site.replace(shipped, here)
        (self.folder / "site.conf").write_text(site)
        kinds = "client_body proxy fastcgi uwsgi scgi"
        temporary = " ".join(f"{k}_temp_path {self.folder}/{k};" for k in kinds.split())
        (self.folder / "nginx.conf").write_text(
            f"daemon off; user root; pid {self.folder}/pid; error_log {self.log} info;\n"
            f"events {{ worker_connections 1024; }}\n"
            f"http {{ access_log {self.folder}/access.log; {temporary} "
            f"include {self.folder}/site.conf; }}\n")
        return ["nginx", "-e", str(self.log), "-c", str(self.folder / "nginx.conf")]


class Caddy(Proxy):
    def command(self):
        config = ROOT / "deploy" / "Caddyfile"
        return ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]

    def environment(self):
        # The values stand in the text as they are, so that "bind" may follow in a line of its own.
        return {"RELAY_SITE": self.url, "RELAY_UPSTREAM": f"127.0.0.1:{self.upstream}",
                "RELAY_TLS": f"tls {self.cert} {self.key}\n\tbind 127.0.0.1",
                "RELAY_ADMIN": "off", "HOME": str(self.folder),
                "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}


class SecureClient(Client):
    """The rigs' client over TLS; the certificate is checked."""

    def __init__(self, port, cert, headers=None, timeout=30):
        super().__init__(port, headers, timeout)
        self.context = ssl.create_default_context(cafile=str(cert))

    def connect(self):
        if self.socket is None:
            plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = self.context.wrap_socket(plain, server_hostname="localhost")
            self.reader = self.socket.makefile("rb")

    def close(self):
        if self.socket:
            self.reader.close()  # it holds the descriptor, too
        super().close()

    def bytes_of(self, method, path, body=None, headers=None):
        request = super().bytes_of(method, path, body, headers)
        return request.replace(b"Host: 127.0.0.1\r\n", b"Host: localhost:%d\r\n" % self.port, 1)


class Probe:
    """An upstream that shows what the proxy sends: it answers with the head that it got.

    A path with "/break" gets no answer: the connection is closed as soon as the request is whole.
    """

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.seen = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as reader:
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = reader.readline()
                    if not line:
                        return
                    head += line
                length = [line for line in head.lower().split(b"\r\n")
                          if line.startswith(b"content-length:")]
                reader.read(int(length[0].split(b":")[1]) if length else 0)
                self.seen.append(head.split(b"\r\n")[0])
                if b"/break" in self.seen[-1]:
                    return
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Accel-Redirect: /stolen\r\n"
                                   b"Content-Length: %d\r\n\r\n" % len(head) + head)


def sockets(port):
    """(state, bytes not yet read) of each connection whose local end is `port`."""
    found = []
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port and fields[3] != "0A":
            found.append((fields[3], int(fields[4].split(":")[1], 16)))
    return found


def until(holds, what, limit=10):
    deadline = time.monotonic() + limit
    while not holds():
        check(time.monotonic() < deadline, f"not within {limit} s: {what}")
        time.sleep(0.01)


class Stage:
    """A proxy, the relay behind it, and a probe behind a second instance of the same proxy."""

    def __init__(self, kind, folder, cert, key, sdk):
        self.name, self.sdk = kind.__name__.lower(), sdk
        folder = folder / self.name
        folder.mkdir()
        self.relay, self.probe = Relay(folder / "data"), Probe()
        self.proxy = kind(folder / "proxy", 0, cert, key)
        self.mirror = kind(folder / "mirror", self.probe.port, cert, key).start()
        self.relay.args = ["--public-url", self.proxy.url, "--registration", "closed"]
        self.relay.start()
        self.proxy.upstream = self.relay.port
        self.proxy.start()

    def workspace(self):
        return Space(self, *self.relay.workspace())


class Space:
    """A workspace, with its calls through the proxy."""

    def __init__(self, stage, identity, token):
        self.stage, self.id, self.token = stage, identity, token
        self.base = f"/workspaces/{identity}/inbox"

    def agent(self, timeout=70):
        return self.stage.proxy.client(self.token, timeout)

    def caller(self, timeout=30):
        return self.stage.proxy.client(None, timeout, X_Relay_Key=self.stage.relay.admin)

    def call(self, client, body):
        return client.call("POST", f"/w/{self.id}/", body)

    def take(self, wait=10):
        """The entry that a poll through the proxy gets, or None."""
        with self.agent() as agent:
            polled = agent.call("GET", f"{self.base}?wait={wait}")
        check(polled.status in (200, 204), f"a poll: {polled}")
        return polled.json["messages"][0] if polled.status == 200 else None

    def result(self, entry):
        return (f"{self.base}/{entry['id']}/result", {"X-Relay-Lease": entry["lease"]["token"]})

    def answer(self, entry, text="done"):
        path, headers = self.result(entry)
        with self.agent() as agent:
            return agent.call("POST", path, {"text": text}, headers)

    def shown(self, path=""):
        """What the relay itself tells its operator about this workspace."""
        with self.stage.relay.client(self.stage.relay.admin) as operator:
            return operator.call("GET", f"/workspaces/{self.id}{path}").json

    def parked(self):
        return self.shown().get("queue", {}).get("parked_polls", 0)


def curl(space, key, *more):
    """curl calling a workspace; the last line of what it prints is the status and the version."""
    stage = space.stage
    return subprocess.Popen(
        ["curl", "-sS", "--cacert", str(stage.proxy.cert), "-m", "30", "-w",
         "\n%{http_code} %{http_version}", "-H", f"X-Relay-Key: {key}",
         f"{stage.proxy.url}/w/{space.id}/", *more],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
