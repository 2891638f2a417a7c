//! Records: read from every format the field uses, and kept in shards on disk.
