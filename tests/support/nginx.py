"""An nginx of the test's own: its configuration, its folder, its port, this user."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

CONFIGURATION = """
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""


class Nginx:
    """Serves what `server` says, the inside of a server block. It inherits a socket that listens
    already, so its port is known and nobody has to wait for it."""

    def __init__(self, server):
        self._folder = tempfile.mkdtemp(prefix="sse-nginx-")
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            port = listener.getsockname()[1]
            self.url = f"http://127.0.0.1:{port}/"
            path = Path(self._folder, "nginx.conf")
            path.write_text(CONFIGURATION.format(
                folder=self._folder, port=port, server=server,
                user="user root;" if os.geteuid() == 0 else ""))
            nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
            self._process = subprocess.Popen(
                [nginx, "-c", path, "-p", self._folder], stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, pass_fds=[listener.fileno()], start_new_session=True,
                env={**os.environ, "NGINX": f"{listener.fileno()};"})

    def log(self):
        return Path(self._folder, "error.log").read_text(encoding="utf-8", errors="replace")

    def close(self):
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
