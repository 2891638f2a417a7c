"""Writes the model as files that NumPy opens: config.json, labels.txt and tensors/NAME.npy."""

from pegbox_plugin import Bundle, Exporter, Model


class Plugin(Exporter):
    def export(self, model: Model, bundle: Bundle) -> None:
        bundle.write("config.json", model.configuration)
        bundle.write("labels.txt", "".join(f"{label}\n" for label in model.labels))
        for tensor in model.tensors:
            path = f"tensors/{tensor.name}.npy"
            bundle.write(path, npy_header(tensor.shape))
            # Piece by piece: a plugin's memory is smaller than a model.
            for piece in model.pieces(tensor):
                bundle.append(path, piece)


def npy_header(shape: list[int]) -> bytes:
    """NumPy's format 1.0: little-endian 32-bit floats in C order."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}".encode()
    # Magic, version and length take 10 bytes; with the line break at its end the whole is a multiple of 64.
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
