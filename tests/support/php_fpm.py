"""A pool of php-fpm of the test's own, for servers that speak FastCGI."""
import glob
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from support.deadline import poll
from support.ports import free_port
from support.proxies import accepts


def program():
    """Debian has the version in the name."""
    return max(glob.glob("/usr/sbin/php-fpm*"), default=None)


class PhpFpm:
    """Runs `code` for each request, six at a time; `script` is the file with it."""

    def __init__(self, code):
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="sse-php-fpm-"))
        self._folder.chmod(0o755)  # its workers are another user
        self.script = self._folder / "index.php"
        self.script.write_text(code, encoding="utf-8")
        user = "user = www-data\ngroup = www-data\n" if os.geteuid() == 0 else ""
        configuration = self._folder / "php-fpm.conf"
        configuration.write_text(
            f"[global]\nerror_log = {self._folder}/error.log\n[www]\nlisten = 127.0.0.1:{self.port}\n{user}"
            "pm = static\npm.max_children = 6\nphp_admin_value[output_buffering] = 0\n", encoding="utf-8")
        self._process = subprocess.Popen(
            [program(), "--nodaemonize", "--fpm-config", configuration], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        poll("php-fpm on its port", lambda: accepts(self.port))

    def close(self):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
