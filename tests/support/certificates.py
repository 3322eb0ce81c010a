"""Certificates of an authority of its own, made by the command openssl; strict clients accept them as well."""
import subprocess

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
CONFIG = """[ca]
default_ca = test
[test]
database = {path}/index
new_certs_dir = {path}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = names
[names]
commonName = supplied
"""


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Authority:
    """An authority in a directory: `ca` is its certificate."""

    def __init__(self, path):
        self.path, self.ca = path, path / "ca.pem"
        (path / "ca.conf").write_text(CONFIG.format(path=path))
        (path / "index").touch()
        openssl("req", "-x509", *KEY, "-subj", "/CN=Test CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", path / "ca.key", "-out", self.ca, "-days", "30")

    def issue(self, name, san="DNS:localhost,IP:127.0.0.1", *, expired=False):
        """The paths of a certificate with the subject alternative names `san` (None: it has none) and its key."""
        cert, key = self.path / f"{name}.pem", self.path / f"{name}.key"
        openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", self.path / "csr")
        (self.path / "ext").write_text("authorityKeyIdentifier=keyid\n" + (f"subjectAltName={san}\n" if san else ""))
        dates = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z") if expired else ("-days", "30")
        openssl("ca", "-batch", "-notext", "-config", self.path / "ca.conf", "-cert", self.ca, "-keyfile", self.path / "ca.key",
                "-in", self.path / "csr", "-extfile", self.path / "ext", "-out", cert, *dates)
        key.chmod(0o600)
        return cert, key
