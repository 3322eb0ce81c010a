"""A headless Chromium, driven over its debugging pipe (no port, no WebSocket)."""
import json
import os
import shutil
import signal
import subprocess
import tempfile

from support.deadline import Deadline

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--remote-debugging-pipe", "about:blank"]


class Browser:
    def __init__(self):
        self._profile = tempfile.mkdtemp(prefix="sse-browser-")
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        # the debugging pipe is descriptors 3 and 4 of the browser, whatever they are here
        script = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", str(theirs_in), str(theirs_out), "chromium",
             f"--user-data-dir={self._profile}", *FLAGS],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out), start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        self._buffer, self._number, self._session, self._context = b"", 0, None, None

    def begin(self):
        """What follows knows nothing of what was before: no page, no cookie, no storage."""
        self._session = None
        self._context = self.call("Target.createBrowserContext")["browserContextId"]

    def end(self):
        """Closes what was opened since begin()."""
        self._session = None
        self.call("Target.disposeBrowserContext", browserContextId=self._context)

    def call(self, method, **params):
        """One command of the DevTools protocol; returns its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = Deadline()
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self, deadline):
        while b"\0" not in self._buffer:
            deadline.check("the browser")
            piece = os.read(self._from, 65536)
            assert piece, "the browser is gone"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, url):
        """Opens a page; what follows is about that page."""
        self._session = None
        target = self.call("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target,
                                  flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Page.navigate", url=url)

    def run(self, script):
        """The value of a JavaScript expression, a promise's included."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True,
                           returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def close(self):
        os.close(self._to)
        os.close(self._from)
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)
