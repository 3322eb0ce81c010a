"""sse bench as the load client of the other benches, on a processor of its own."""
import json
import subprocess
import tempfile

from bench.measure import CLIENT, on


class Load:
    """Subscribers of the server at `port` that connect at once and read until it ends their streams."""

    def __init__(self, setting, port, clients, *args):
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            on(CLIENT, setting.sse, "bench", "-o", "json", "-c", str(clients), "--warm-up", "0", "-t", "10h",
               "--connect-rate", "1000000", *map(str, args), f"http://127.0.0.1:{port}/"),
            stdout=subprocess.PIPE, stderr=self._errors, text=True)

    def report(self, deliveries):
        """Its figures once all streams have ended, of which each must have delivered everything."""
        out = self._process.communicate(timeout=600)[0]
        self._errors.seek(0)
        assert self._process.returncode == 0, self._errors.read()
        found = json.loads(out)
        names = ("lost", "duplicates", "disordered", "broken", "silent")
        assert found["deliveries"] == deliveries and not any(found[name] for name in names), f"not all was delivered: {found}"
        return found

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._errors.close()
