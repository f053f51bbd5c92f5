"""Compression of text formats, and several files in one archive: blocks, packed in threads."""
