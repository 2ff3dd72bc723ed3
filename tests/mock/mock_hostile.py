"""What a server does that means no good: /hostile/MODE in front of any path."""
import json
import time
import zlib

from mock_parts import Answer

PREFIX = "/hostile/"
JSON = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def send(sock, data):
    sock.sendall(data if isinstance(data, bytes) else data.encode())


def endless(sock, wait):
    """A body without an end, as fast as it is taken."""
    send(sock, JSON + "Transfer-Encoding: chunked\r\n\r\n")
    piece = b'{"bars":{},' + b" " * 65525
    while not wait(0):
        send(sock, b"10000\r\n" + piece + b"\r\n")


def bomb(sock, wait):
    """A small body that grows a thousandfold, and grows on."""
    send(sock, JSON + "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b" " * (1 << 20)
    while not wait(0):
        data = squeeze.compress(zeros) + squeeze.flush(zlib.Z_FULL_FLUSH)
        send(sock, b"%x\r\n%s\r\n" % (len(data), data))


def trickle(sock, wait):
    """A byte every half second, for ever."""
    send(sock, JSON + "Content-Length: 100000\r\n\r\n")
    while not wait(0.5):
        send(sock, b" ")


def head_without_end(sock, wait):
    """Header lines until somebody has enough."""
    send(sock, "HTTP/1.1 200 OK\r\n")
    n = 0
    while not wait(0):
        send(sock, "".join(f"X-Flood-{n + i}: {'x' * 200}\r\n" for i in range(100)))
        n += 100


def one_long_line(sock, wait):
    send(sock, "HTTP/1.1 200 OK\r\nX-Long: ")
    while not wait(0):
        send(sock, "x" * 65536)


def no_http(sock, wait):
    send(sock, "SSH-2.0-OpenSSH_9.2\r\n")
    wait(0.2)


def mute(_sock, wait):
    wait(600)


def contradiction(sock, wait):
    """Two lengths at once."""
    send(sock, JSON + "Content-Length: 5\r\nContent-Length: 50\r\n\r\n{\"ba")
    wait(0.2)


def deep(_request):
    return Answer(200, '{"bars":' + "[" * 100000, {"Content-Type": "application/json"})


def redirect(where):
    return lambda request: Answer(302, b"", {"Location": where})


def status(code, headers, body=b""):
    return lambda request: Answer(code, body, headers)


def echo_keys(request):
    """An error that repeats what it was told."""
    said = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "accept")}
    return Answer(403, json.dumps({"message": f"bad credentials {json.dumps(said)}"}),
                  {"Content-Type": "application/json"})


def redirect_loop(request):
    """To itself, with one hop more in the query."""
    hops = int(request.query.get("hops", 0)) + 1
    return Answer(302, b"", {"Location": f"{request.base}{request.path}?hops={hops}"})


def json_text(text):
    return status(200, {"Content-Type": "application/json"}, text.encode())


ROW = '{"bars":{"AAPL":[{"t":"2024-01-02T15:00:00Z","o":%s,"h":2,"l":1,"c":1,"v":1}]}' \
      ',"next_page_token":null}'

STREAMS = {"endless": endless, "gzip-bomb": bomb, "trickle": trickle,
           "header-flood": head_without_end, "long-header": one_long_line,
           "no-http": no_http, "mute": mute, "two-lengths": contradiction}
PAGES = {
    "redirect-file": redirect("file:///etc/passwd"),
    "redirect-private": redirect("http://169.254.169.254/latest/meta-data/"),
    "redirect-loopback": redirect("http://127.0.0.1:9/"),
    "retry-10h": status(429, {"Retry-After": "36000"}),
    "retry-for-ever": status(503, {"Retry-After": "99999999999999999999"}),
    "html": status(200, {"Content-Type": "text/html"}, b"<html>Will be right back</html>"),
    "not-gzip": status(200, {"Content-Type": "application/json", "Content-Encoding": "gzip"},
                       b'{"bars":{},"next_page_token":null}'),
    "deep": deep,
    "redirect-loop": redirect_loop,
    "bom": json_text("\ufeff" + ROW % "1"),
    "wrong-type": json_text('{"bars":5,"next_page_token":null}'),
    "array-for-object": json_text('[{"bars":{}}]'),
    "infinity": json_text(ROW % "Infinity"),
    "huge-number": json_text(ROW % "1e400"),
    "too-many-digits": json_text(ROW % "1.0123456789123456789"),
    "price-as-text": json_text(ROW % '"1.5"'),
    "echo-keys": echo_keys,
}
MODES = sorted([*STREAMS, *PAGES, "redirect-foreign", "small-bomb"])


class Hostile:
    """An object of a server: looks at a request before the vendors do."""

    def __init__(self):
        self.foreign = "http://127.0.0.1:9"  # where redirect-foreign points
        self.seen = []  # (time, mode)

    def look(self, request):
        if not request.path.startswith(PREFIX):
            return None
        mode = request.path[len(PREFIX):].split("/")[0]
        self.seen.append((time.monotonic(), mode))
        if mode in STREAMS:
            return Answer(200, b"", stream=STREAMS[mode])
        if mode in PAGES:
            return PAGES[mode](request)
        if mode == "redirect-foreign":
            return Answer(307, b"", {"Location": self.foreign + "/v2/stocks/bars"})
        if mode == "small-bomb":  # 128 MiB in 128 KiB, whole
            return Answer(200, bomb_of(1 << 27), {"Content-Type": "application/json",
                                                  "Content-Encoding": "gzip"})
        return Answer(404, {"message": f"modes: {' '.join(MODES)}"})


def bomb_of(size):
    squeeze, parts = zlib.compressobj(1, zlib.DEFLATED, 31), []
    for _ in range(size >> 20):
        parts.append(squeeze.compress(b" " * (1 << 20)))
    return b"".join(parts) + squeeze.flush()


