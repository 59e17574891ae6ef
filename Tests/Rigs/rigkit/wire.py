"""A small HTTP/1.1 client over raw sockets that keeps its connection."""
import json
import socket


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    def __str__(self):
        return f"{self.status} {self.body[:300]!r}"


def request_bytes(method, path, body, headers):
    """A request as it goes over the wire; a dict is sent as JSON."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None or method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body or b'')}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def parse_head(head):
    lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":")[::2] for line in lines[1:] if line)
    return int(lines[0].split()[1]), {name.lower(): value.strip() for name, value in pairs}


class Client:
    """Blocking HTTP over one kept connection; a new one after it broke."""

    def __init__(self, port, headers=None, timeout=30):
        self.port, self.headers, self.timeout, self.socket = port, headers or {}, timeout, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def connect(self):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), self.timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.reader = self.socket.makefile("rb")

    def send(self, method, path, body=None, headers=None):
        self.connect()
        self.has_body = method != "HEAD"
        self.socket.sendall(self.bytes_of(method, path, body, headers))

    def bytes_of(self, method, path, body=None, headers=None):
        return request_bytes(method, path, body, self.headers | (headers or {}))

    def receive(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.reader.readline()
            if not line:
                raise ConnectionError("closed before an answer")
            head += line
        status, headers = parse_head(head)
        if not self.has_body:
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = b""
            while (size := int(self.reader.readline() or b"x", 16)) > 0:
                body += self.reader.read(size)
                self.reader.readline()
            self.reader.readline()
        else:
            body = self.reader.read(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)

    def call(self, method, path, body=None, headers=None):
        try:
            self.send(method, path, body, headers)
            return self.receive()
        except (OSError, ValueError) as error:
            self.close()
            raise ConnectionError(str(error)) from error
