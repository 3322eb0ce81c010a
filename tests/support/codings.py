"""Content codings of a body that is sent piece by piece: each piece can be read once it has come."""
import ctypes
import zlib


class Deflate:
    """`window` is zlib's: 31 for gzip, 15 for zlib, -15 for neither."""

    def __init__(self, window):
        self._state = zlib.compressobj(9, zlib.DEFLATED, window)

    def piece(self, data):
        return self._state.compress(data) + self._state.flush(zlib.Z_SYNC_FLUSH)

    def end(self):
        return self._state.flush(zlib.Z_FINISH)


class Brotli:
    """The reference encoder's library, which comes with what the program links."""

    def __init__(self):
        self._lib = ctypes.CDLL("libbrotlienc.so.1")
        self._lib.BrotliEncoderCreateInstance.restype = ctypes.c_void_p
        self._state = ctypes.c_void_p(self._lib.BrotliEncoderCreateInstance(None, None, None))

    def _run(self, operation, data):
        out = ctypes.create_string_buffer(len(data) + 100_000)
        left, room = ctypes.c_size_t(len(data)), ctypes.c_size_t(len(out))
        source, target = ctypes.c_char_p(data), ctypes.c_void_p(ctypes.addressof(out))
        assert self._lib.BrotliEncoderCompressStream(
            self._state, operation, ctypes.byref(left), ctypes.byref(source), ctypes.byref(room),
            ctypes.byref(target), None)
        assert left.value == 0
        return out.raw[:len(out) - room.value]

    def piece(self, data):
        return self._run(1, data)  # flush

    def end(self):
        return self._run(2, b"")   # finish


CODINGS = {"gzip": lambda: Deflate(31), "x-gzip": lambda: Deflate(31), "deflate": lambda: Deflate(15),
           "raw deflate": lambda: Deflate(-15), "br": Brotli}
