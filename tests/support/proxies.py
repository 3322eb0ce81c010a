"""Reverse proxies from Debian, each with the configuration its package brings and the lines that
man/examples has for it. What is changed in them: ports, folders, the user, and the daemon mode."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from support.deadline import poll
from support.ports import free_port

EXAMPLES = Path(__file__).parents[2] / "man/examples"
PATHS = os.environ["PATH"] + ":/usr/sbin"
NAMES = ("nginx", "caddy", "haproxy", "apache", "varnish", "squid", "lighttpd")
PROGRAMS = {"apache": "apache2", "varnish": "varnishd"}


def program(name):
    return shutil.which(PROGRAMS.get(name, name), path=PATHS)


def accepts(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


class ReverseProxy:
    """One of NAMES before a server on `upstream` (a port of this machine); `url` is where clients
    connect. `example`: the lines that make it pass streams; None: those of man/examples."""

    def __init__(self, name, upstream, example=None):
        self.name, self.port = name, free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._folder = Path(tempfile.mkdtemp(prefix=f"sse-{name}-"))
        self._folder.chmod(0o777)  # some give up root before they write
        self._processes = []
        if example is None:
            example = (EXAMPLES / FILES[name]).read_text("utf-8")
        example = example.replace("127.0.0.1:8080", f"127.0.0.1:{upstream}").replace('"8080"', f'"{upstream}"')
        example = re.sub(r"\b8080\b", str(upstream), example)
        getattr(self, "_" + name)(example)
        poll(f"{name} on its port", lambda: accepts(self.port) or self._failed())

    def _failed(self):
        for process in self._processes:
            assert process.poll() is None, f"{self.name} ended: {self.log()}"
        return False

    def log(self):
        return "\n".join(f"{p.name}: {p.read_text('utf-8', 'replace')[-2000:]}"
                         for p in sorted(self._folder.glob("*.log")))

    def _file(self, name, text):
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def _start(self, *args, **env):
        with open(self._folder / "output.log", "ab") as log:
            self._processes.append(subprocess.Popen(
                [program(self.name), *map(str, args)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, cwd=self._folder,
                env={**os.environ, "HOME": str(self._folder), **{k: str(v) for k, v in env.items()}}))

    # -- each with what its package configures
    def _nginx(self, example):
        f = self._folder
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "\n".join(f"{each}_temp_path {f}/{each};"
                              for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        http = "sendfile on; tcp_nopush on; types_hash_max_size 2048; gzip on;"  # as Debian has it
        self._file("nginx.conf", f"daemon off; {user} pid {f}/pid; error_log {f}/error.log;\n"
                   f"events {{ worker_connections 768; }}\nhttp {{ {http} access_log {f}/access.log;\n{temporary}\n"
                   f"server {{ listen 127.0.0.1:{self.port};\n{example.replace('/events', '/')}\n}} }}\n")
        self._start("-c", f / "nginx.conf", "-p", f, "-e", f / "error.log")

    def _caddy(self, example):
        # compressing is what holds back a head without a body
        site = example.replace("events.example", f":{self.port}")
        if "encode" not in site:
            site = site.replace("{\n", "{\n    encode gzip zstd\n", 1)
        self._file("Caddyfile", "{\n  admin off\n  auto_https off\n}\n" + site)
        self._start("run", "--adapter", "caddyfile", "--config", self._folder / "Caddyfile",
                    XDG_DATA_HOME=self._folder, XDG_CONFIG_HOME=self._folder)

    def _haproxy(self, example):
        packaged = Path("/etc/haproxy/haproxy.cfg").read_text("utf-8")
        packaged = re.sub(r"^\s*(log\s+/dev|chroot|stats|user|group|daemon).*\n", "", packaged, flags=re.MULTILINE)
        self._file("haproxy.cfg", packaged + example.replace("bind :80", f"bind 127.0.0.1:{self.port}"))
        self._start("-db", "-f", self._folder / "haproxy.cfg")

    def _apache(self, example):
        packaged = Path("/etc/apache2/apache2.conf").read_text("utf-8")
        packaged = packaged.replace("Include ports.conf", f"Listen 127.0.0.1:{self.port}").replace(
            "IncludeOptional mods-enabled/", "IncludeOptional /etc/apache2/mods-enabled/")
        packaged = re.sub(r"^IncludeOptional (conf|sites)-enabled.*$", "", packaged, flags=re.MULTILINE)
        modules = "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n"
                          for m in ("proxy", "proxy_http"))
        self._file("apache2.conf", packaged + f"ServerName localhost\n{modules}{example}")
        f = self._folder
        self._start("-f", f / "apache2.conf", "-D", "FOREGROUND", APACHE_RUN_DIR=f, APACHE_LOCK_DIR=f,
                    APACHE_LOG_DIR=f, APACHE_PID_FILE=f / "pid", APACHE_RUN_USER="www-data",
                    APACHE_RUN_GROUP="www-data")

    def _varnish(self, example):
        vcl = self._file("default.vcl", example)
        # -j none: it stays this user; the package's service has the rest as it is by default
        self._start("-F", "-j", "none", "-a", f"127.0.0.1:{self.port}", "-f", vcl, "-n", self._folder / "work",
                    "-s", "malloc,64m")

    def _squid(self, example):
        packaged = Path("/etc/squid/squid.conf").read_text("utf-8").replace("http_port 3128", "")
        packaged = packaged.replace("http_access deny all", "")
        f = self._folder
        own = (f"pid_filename {f}/pid\ncache_log {f}/cache.log\naccess_log none\ncoredump_dir {f}\n"
               "netdb_filename none\npinger_enable off\nshutdown_lifetime 0 seconds\n")
        packaged = re.sub(r"^coredump_dir.*$", own, packaged, flags=re.MULTILINE)
        example = re.sub(r"http_port \d+", f"http_port 127.0.0.1:{self.port}", example, count=1)
        # the example goes first: rules of access are judged in their order
        self._file("squid.conf", example + "\n" + packaged)
        self._start("-N", "-n", f"sse{self.port}", "-f", f / "squid.conf")

    def _lighttpd(self, example):
        packaged = Path("/etc/lighttpd/lighttpd.conf").read_text("utf-8")
        f = self._folder
        packaged = re.sub(r'^server\.(username|groupname|errorlog|pid-file|upload-dirs).*$', "", packaged,
                          flags=re.MULTILINE)
        packaged = packaged.replace("server.port                 = 80", f'server.port = {self.port}\nserver.bind = "127.0.0.1"')
        packaged = re.sub(r"^include(_shell)? .*(use-ipv6|conf-enabled).*$", "", packaged, flags=re.MULTILINE)
        packaged += f'\nserver.errorlog = "{f}/error.log"\nserver.upload-dirs = ( "{f}" )\n'
        self._file("lighttpd.conf", packaged + example)
        self._start("-D", "-f", f / "lighttpd.conf")

    def close(self):
        for process in self._processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


FILES = {"nginx": "nginx.conf", "caddy": "Caddyfile", "haproxy": "haproxy.cfg", "apache": "apache.conf",
         "varnish": "varnish.vcl", "squid": "squid.conf", "lighttpd": "lighttpd.conf"}
