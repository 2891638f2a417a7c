"""Files in folders that plugin.toml names under [permissions] and the recipe grants, for reading::

    from pegbox_plugin import files

    words = files.read_text("lexicons/words.txt").split()

A path begins with a granted folder, as ``read`` names it, and has ``/`` between its parts.
"""

from componentize_py_types import Err
from wit_world.imports import filesystem_types as _wit, preopens as _preopens

__all__ = ["list_folder", "read_bytes", "read_text"]

_PIECE_BYTES = 1 << 20


def read_bytes(path: str) -> bytes:
    """The whole file.

    Raises ``OSError``: no such file, a folder, or not inside a granted folder.
    """
    with _open(path, _wit.DescriptorFlags.READ, _wit.OpenFlags(0)) as file:
        pieces, at, end = [], 0, False
        try:
            while not end:
                piece, end = file.read(_PIECE_BYTES, at)
                at += len(piece)
                pieces.append(piece)
        except Err as fault:
            raise _os_error(fault, path) from None
        return b"".join(pieces)


def read_text(path: str, encoding: str = "utf-8") -> str:
    """The whole file as text, line ends as they are. Raises as :func:`read_bytes` does, and ``UnicodeDecodeError``."""
    return read_bytes(path).decode(encoding)


def list_folder(path: str) -> list[str]:
    """Names of what is in the folder, sorted. Raises ``OSError``."""
    with _open(path, _wit.DescriptorFlags.READ, _wit.OpenFlags.DIRECTORY) as folder:
        try:
            with folder.read_directory() as entries:
                names = []
                while (entry := entries.read_directory_entry()) is not None:
                    names.append(entry.name)
        except Err as fault:
            raise _os_error(fault, path) from None
        return sorted(names)


def _open(path: str, flags: _wit.DescriptorFlags, how: _wit.OpenFlags) -> _wit.Descriptor:
    plain = path.removeprefix("./").rstrip("/")
    for folder, name in _preopens.get_directories():
        name = name.removeprefix("./").rstrip("/")
        if plain == name:
            inside = "."
        elif plain.startswith(f"{name}/"):
            inside = plain[len(name) + 1 :]
        else:
            continue
        try:
            return folder.open_at(_wit.PathFlags.SYMLINK_FOLLOW, inside, how, flags)
        except Err as fault:
            raise _os_error(fault, path) from None
    raise PermissionError(f"{path}: not inside a folder that is granted under `read`")


def _os_error(fault: Err[object], path: str) -> OSError:
    code = getattr(fault.value, "name", str(fault.value))
    kind = {"NO_ENTRY": FileNotFoundError, "IS_DIRECTORY": IsADirectoryError, "NOT_DIRECTORY": NotADirectoryError}
    return kind.get(code, OSError)(f"{path}: {code.lower().replace('_', ' ')}")
