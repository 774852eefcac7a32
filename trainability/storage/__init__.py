"""A study's folder on storage: block files, and the few side files beside them.

Everything is read by one reader, which says of every file whether it is sound, older than this
code, newer, or damaged, and why. What is damaged is never counted, by any command; `run` sets it
aside and makes it anew.
"""

from trainability.storage.blocks import BlockFile
from trainability.storage.store import Storage

__all__ = ["BlockFile", "Storage"]
