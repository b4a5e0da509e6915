"""The file that tests of the downloader fetch, and their retry settings."""

import hashlib

from thinslice.download.transfer import Patience

DATA = bytes(range(256)) * 4096 + b"end"  # 1 MiB and a little
SHA256 = hashlib.sha256(DATA).hexdigest()
MD5 = hashlib.md5(DATA).hexdigest()
BRISK = Patience(tries=4, wait_s=0.01, longest_s=0.05, timeout_s=5)
