"""A certification authority for an afternoon, and certificates good and bad of it.

Made by the openssl command in a folder of the caller's; nothing of it is secret and
nothing of it outlives the mock.
"""
import pathlib
import subprocess

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch"]


def openssl(folder, *args):
    done = subprocess.run(["openssl", *args], cwd=folder, capture_output=True, text=True,
                          timeout=240, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {args[0]}: {done.stderr}")


def issue(folder, name, alt_names, days="2"):
    """NAME.pem and NAME.key, signed by our CA."""
    openssl(folder, "req", "-new", *EC, "-subj", f"/CN={name}", "-keyout", f"{name}.key",
            "-out", f"{name}.csr")
    pathlib.Path(folder, f"{name}.ext").write_text(f"subjectAltName={alt_names}\n",
                                                   encoding="ascii")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def make(folder):
    """ca.pem; server (localhost), misnamed (another host's), stranger (another CA's),
    expired."""
    openssl(folder, "req", "-x509", *EC, "-days", "2", "-subj", "/CN=mock vendors CA",
            "-addext", "keyUsage=critical,keyCertSign", "-keyout", "ca.key", "-out", "ca.pem")
    issue(folder, "server", "DNS:localhost,IP:127.0.0.1")
    issue(folder, "misnamed", "DNS:vendor.example")
    issue(folder, "expired", "DNS:localhost,IP:127.0.0.1", "-1")
    openssl(folder, "req", "-x509", *EC, "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", "stranger.key", "-out", "stranger.pem")
    return folder
