"""Firefox for tests, steered over WebDriver BiDi (W3C), which it speaks itself.  Standard library only; the same calls as
webdriver.Browser."""
import base64
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile

import webdriver

NAMES = ("firefox-esr", "firefox")


def absent():
    """What is missing; empty: nothing."""
    return "" if any(shutil.which(n) for n in NAMES) else "firefox"


class Socket:
    """A WebSocket (RFC 6455) of texts, from the side of the client."""

    def __init__(self, port, path):
        self.sock = socket.create_connection(("127.0.0.1", port), 30)
        self.sock.settimeout(60)
        self.file = self.sock.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        status = self.file.readline()
        assert b" 101 " in status, status
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def send(self, text, opcode=1):
        data, mask = text.encode() if isinstance(text, str) else text, os.urandom(4)
        size = len(data)
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | (size if size < 126 else 126 if size < 65536 else 127))
        head += b"" if size < 126 else struct.pack("!H", size) if size < 65536 else struct.pack("!Q", size)
        masked = (int.from_bytes(data, "little") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "little")).to_bytes(size, "little")
        self.sock.sendall(head + mask + masked)

    def receive(self):
        """One message."""
        text = b""
        while True:
            first, size = self.file.read(2)
            size &= 0x7f
            if size > 125:
                size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
            data = self.file.read(size)
            opcode = first & 15
            if opcode == 9:
                self.send(data, 10)
            elif opcode == 8:
                raise ConnectionError("the browser closed the connection")
            elif opcode in (0, 1):
                text += data
                if first & 0x80:
                    return text.decode()

    def close(self):
        self.sock.close()


class Browser(webdriver.Browser):
    def __init__(self, width=1300, height=1500, dark=False):
        self.profile = tempfile.mkdtemp(prefix="tickbus-firefox-")
        with open(os.path.join(self.profile, "user.js"), "w", encoding="utf-8") as f:
            f.write(f'user_pref("layout.css.prefers-color-scheme.content-override", {0 if dark else 1});\n'
                    'user_pref("app.update.enabled", false);\nuser_pref("datareporting.policy.dataSubmissionEnabled", false);\n')
        program = next(p for p in map(shutil.which, NAMES) if p)
        self.process = subprocess.Popen([program, "--headless", "--no-remote", "--profile", self.profile, "--remote-debugging-port", "0"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, "HOME": self.profile, "MOZ_HEADLESS": "1"})
        self.n, self.logged, self.socket = 0, [], None
        try:
            self.socket = Socket(self.port(), "/session")
            self.ask("session.new", capabilities={})
            self.ask("session.subscribe", events=["log.entryAdded"])
            self.context = self.ask("browsingContext.getTree")["contexts"][0]["context"]
            self.ask("browsingContext.setViewport", context=self.context, viewport={"width": width, "height": height})
        except BaseException:
            self.close()
            raise

    def port(self):
        for line in self.process.stderr:
            found = re.search(r"WebDriver BiDi listening on ws://127\.0\.0\.1:(\d+)", line)
            if found:
                return int(found.group(1))
        raise RuntimeError(f"firefox ended with {self.process.wait()}")

    def ask(self, method, **params):
        self.n += 1
        self.socket.send(json.dumps({"id": self.n, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.receive())
            if answer.get("method") == "log.entryAdded":
                self.logged.append(answer["params"])
            if answer.get("id") == self.n:
                if answer["type"] != "success":
                    raise RuntimeError(f"{method}: {answer['error']}: {answer['message']}")
                return answer["result"]

    def go(self, url):
        self.ask("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def run(self, script, *args):
        """The value of a JavaScript function body; a promise is waited for."""
        got = self.ask("script.callFunction", awaitPromise=True, target={"context": self.context},
                       functionDeclaration="async args => JSON.stringify((await (function () {\n" + script +
                       "\n}).apply(null, JSON.parse(args))) ?? null)", arguments=[{"type": "string", "value": json.dumps(args)}])
        if got["type"] != "success":
            raise RuntimeError(got["exceptionDetails"]["text"])
        return json.loads(got["result"]["value"])

    def type(self, selector, keys):
        self.run("document.querySelector(arguments[0]).focus()", selector)
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask("input.performActions", context=self.context, actions=[{"type": "key", "id": "keys", "actions": actions}])

    def console(self):
        """What the page complained of since the last call."""
        self.run("return 1")  # what was logged before has come
        logged, self.logged = self.logged, []
        return [x["text"] for x in logged if x["level"] == "error"]

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.profile, ignore_errors=True)
