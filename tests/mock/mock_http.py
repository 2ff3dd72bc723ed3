"""The HTTP side of the mock: connections, delivery of answers, bad luck, accounts."""
import collections
import gzip
import http.server
import random
import socket
import ssl
import threading
import time
import warnings

from mock_parts import Answer, Refusal, Request, fingerprint


class Accounts:
    """Who asked how often: counted here, where the vendor would count."""

    def __init__(self, rate=None):
        self.rate = rate  # (requests, seconds) or None
        self.lock = threading.Lock()
        self.rows, self.log = {}, collections.deque(maxlen=20000)
        self.connections = 0

    def arrived(self, vendor, key):
        """One request; (is it one too many, how many are left, seconds until there are
        more)."""
        now = time.monotonic()
        with self.lock:
            row = self.rows.setdefault((vendor, fingerprint(key)), {
                "requests": 0, "most_in_window": 0, "violations": 0, "statuses": {},
                "recent": collections.deque()})
            row["requests"] += 1
            if not self.rate:
                return False, 199, 60
            recent = row["recent"]
            recent.append(now)
            while recent[0] <= now - self.rate[1]:
                recent.popleft()
            row["most_in_window"] = max(row["most_in_window"], len(recent))
            is_over = len(recent) > self.rate[0]
            row["violations"] += is_over
            return is_over, max(0, self.rate[0] - len(recent)), recent[0] + self.rate[1] - now

    def answered(self, vendor, key, request, status):
        with self.lock:
            self.log.append((vendor, request.method, request.target, status))
            statuses = self.rows[(vendor, fingerprint(key))]["statuses"]
            statuses[status] = statuses.get(status, 0) + 1

    def report(self):
        with self.lock:
            return {"connections": self.connections,
                    "rate": list(self.rate) if self.rate else None,
                    "clients": [{"vendor": v, "key": k, **{n: x for n, x in row.items()
                                                           if n != "recent"}}
                                for (v, k), row in sorted(self.rows.items())]}


class Luck:
    """What goes wrong by chance, in a reproducible order."""

    def __init__(self, seed=1, p429=0.0, p500=0.0, ptruncate=0.0, wait_s="1"):
        self.rng, self.lock = random.Random(seed), threading.Lock()
        self.p429, self.p500, self.ptruncate, self.wait_s = p429, p500, ptruncate, wait_s
        self.asked_to_wait = []  # (from, to)

    def draw(self):
        """None, 429, 500 or "cut"."""
        with self.lock:
            x = self.rng.random()
        for p, what in ((self.p429, 429), (self.p500, 500), (self.ptruncate, "cut")):
            if x < p:
                return what
            x -= p
        return None


def slow_down(wait_s):
    """A 429 that asks to wait so long; "": that does not say."""
    headers = {}
    if wait_s == "0":
        headers["Retry-After"] = "0"
    elif wait_s != "":
        headers["X-RateLimit-Remaining"] = "0"
        headers["X-RateLimit-Reset"] = str(int(time.time() + float(wait_s) + 0.999))
        headers["Retry-After"] = wait_s
    return Answer(429, {"message": "too many requests."}, headers)


def squeeze(answer, request):
    """gzip, if the client takes it and the body is worth it."""
    if "gzip" in request.headers.get("Accept-Encoding", "") and len(answer.body) > 1000 and \
            "json" in answer.headers.get("Content-Type", "") and not answer.how:
        answer.body = gzip.compress(answer.body, 1)
        answer.headers["Content-Encoding"] = "gzip"


def head_of(answer, length):
    reason = http.server.BaseHTTPRequestHandler.responses.get(answer.status, ("Other",))[0]
    lines = [f"HTTP/1.1 {answer.status} {reason}", "Server: mock-vendors"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def deliver(answer, sock, wait):
    """Send it as its `how` says; True: the connection lives on.  wait(seconds) is True
    when the server stops."""
    how, body = answer.how, answer.body
    if how.get("fault") == "close_without_response":
        return False
    if "chunked" in how:
        answer.headers["Transfer-Encoding"] = "chunked"
        sock.sendall(head_of(answer, None))
        for at in range(0, len(body), how["chunked"]):
            piece = body[at:at + how["chunked"]]
            sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            if wait(how.get("every_ms", 0) / 1000):
                return False
        sock.sendall(b"0\r\n\r\n")
        return True
    if "stream" in how:  # a function that writes what it likes
        how["stream"](sock, wait)
        return False
    cut = how.get("truncate_at", how.get("stall_after", len(body)))
    sock.sendall(head_of(answer, len(body)) + body[:cut])
    if "stall_after" in how:
        wait(600)
    return cut >= len(body) and "stall_after" not in how


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *args):
        pass

    def serve(self):
        app = self.server.app
        length = int(self.headers.get("Content-Length", 0))
        scheme = "https" if self.server.tls else "http"
        request = Request(self.command, self.path, self.headers, self.rfile.read(length),
                          f"{scheme}://{self.headers.get('Host', '')}")
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.close_connection = True
            app.websocket(self.request, request)
            return
        if not deliver(app.respond(request), self.request, app.stopping.wait):
            self.close_connection = True

    do_GET = do_POST = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, app, port=0, tls=None):
        self.app, self.tls, self.open = app, tls, set()
        super().__init__(("127.0.0.1", port), Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def finish_request(self, request, client_address):
        with self.app.accounts.lock:
            self.app.accounts.connections += 1
        if self.tls:
            request.settimeout(10)
            request = self.tls.wrap_socket(request, server_side=True)
            request.settimeout(None)
        self.open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            self.open.discard(request)
            if self.tls:
                request.close()

    def handle_error(self, request, client_address):
        pass  # who is tested hangs up when it likes

    def stop(self):
        self.shutdown()
        self.server_close()
        for sock in list(self.open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def server_tls(cert, key, old=False):
    """@old: TLS 1.1 at most, which nobody should speak any more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(cert, key)
    return context


class App:
    """What is behind all ports: vendors, scenarios, hostile pages, and the accounts."""

    def __init__(self, vendors, accounts, luck, latency_s=0.0):
        self.vendors, self.accounts, self.luck = vendors, accounts, luck
        self.latency_s = latency_s
        self.first = []  # functions of a request that may answer before the vendors
        self.websocket = None
        self.stopping = threading.Event()

    def respond(self, request):
        began = time.monotonic()
        if request.path == "/mock/report":
            return Answer(200, self.accounts.report())
        for look in self.first:
            answer = look(request)
            if answer:
                return answer
        vendor = next((v for v in self.vendors if v.handles(request.path)), None)
        if vendor is None:
            return Answer(404, {"message": f"no vendor of the mock has {request.path}"})
        key = vendor.key(request)
        is_over, left, reset_s = self.accounts.arrived(vendor.name, key)
        answer = slow_down(f"{reset_s:.0f}") if is_over else self.ask(vendor, request)
        answer.headers.setdefault("X-RateLimit-Remaining", str(left))
        answer.headers.setdefault("X-RateLimit-Reset", str(int(time.time() + reset_s + 1)))
        squeeze(answer, request)
        self.accounts.answered(vendor.name, key, request, answer.status)
        self.stopping.wait(max(0.0, began + self.latency_s - time.monotonic()))
        return answer

    def ask(self, vendor, request):
        luck = self.luck.draw()
        if luck == 429:
            answer, now = slow_down(self.luck.wait_s), time.monotonic() + self.latency_s
            until = float(answer.headers.get("X-RateLimit-Reset", 0)) - time.time()
            self.luck.asked_to_wait.append((now, max(now, time.monotonic() + until)))
            return answer
        if luck == 500:
            return Answer(500, {"message": "internal server error occurred"})
        try:
            answer = vendor.answer(request)
        except Refusal as e:
            return e.answer
        if luck == "cut" and len(answer.body) > 1:
            answer.how["truncate_at"] = len(answer.body) // 2
        return answer
