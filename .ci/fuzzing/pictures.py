"""Pictures: every common format, damaged, with sizes that lie, under a wrong name, and what is no picture at all."""

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
from fuzz import held
from fuzzing.damage import damaged
from PIL import Image

from releaf.data.images import ImageError, inspect_image, read_image

FORMATS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "BMP": "bmp", "WEBP": "webp", "TIFF": "tif", "AVIF": "avif"}
STRANGE = {
    "eps.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(ran) (w) file\nshowpage\n",
    "svg.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "page.jpg": b"<!doctype html><html></html>",
    "empty.jpg": b"",
    "ico.png": b"\0\0\1\0\1\0" + bytes(20),
    "pcx.jpg": b"\x0a\5\1\x08" + bytes(200),
    "xpm.png": b'/* XPM */\nstatic char *x[]={"9999 9999 1 1"};',
    "ppm.jpg": b"P6 60000 60000 255\n" + bytes(99),
}


def _bomb(rng: random.Random) -> bytes:
    "A PNG whose header says that it is large"
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    width, height = rng.choice([(12_000, 12_000), (60_000, 60_000), (2**31 - 1, 1), (0, 5), (1, 300_000)])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + chunk(b"IEND", b"")
    )


def make(rng: random.Random, number: int, folder: Path) -> dict:
    "One file"
    kind = rng.choice(list(FORMATS))
    pixels = np.random.default_rng(rng.randrange(2**32)).integers(0, 255, (rng.randint(1, 60), rng.randint(1, 80), 3), np.uint8)
    image, buffer = Image.fromarray(pixels), io.BytesIO()
    image = image.convert(rng.choice(["RGB", "RGB", "L", "P"])) if kind in ("PNG", "GIF", "TIFF", "BMP") else image
    exif = Image.Exif()
    exif[0x0112] = rng.choice([1, 3, 6, 8, 0, 99])
    image.save(buffer, kind, **({"exif": exif} if kind in ("JPEG", "PNG", "WEBP") else {}))
    name, content, how = f"picture.{FORMATS[kind]}", buffer.getvalue(), "whole"
    if number % 5 == 4:
        name, content = rng.choice([*STRANGE.items(), ("bomb.png", _bomb(rng))])
        how = name
    elif number:
        content, how = damaged(rng, content)
        name = rng.choice([name, name, "picture.jpg"])
    (folder / name).write_bytes(content)
    shape = pixels.shape[:2] if how == "whole" else None
    return {
        "what": f"{kind} {how} {name}",
        "path": folder / name,
        "shape": shape,
        "turned": exif[0x0112] in (6, 8) and kind in ("JPEG", "PNG", "WEBP"),
    }


def check(case: dict, folder: Path) -> None:
    "Pixels of the right size, or an error that names the file; the same by every way in"
    facts, found = inspect_image(case["path"]), {}
    for size in (None, 24):
        try:
            pixels = read_image(case["path"], size)
            held(pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3, f"pixels are {pixels.dtype} {pixels.shape}")
            held(size is None or pixels.shape[:2] == (24, 24), f"asked for 24, found {pixels.shape}")
            found[size] = pixels.shape[:2]
        except ImageError as error:
            held(case["path"].name in str(error), f"the error does not name the file: {error}")
    held((None in found) == (facts["error"] is None), f"inspect_image says {facts['error']!r}, read_image gave {found}")
    if None in found:
        held(found[None] == (facts["height"], facts["width"]), f"{found} and {facts}")
    if case["shape"]:
        held(
            found.get(None) == (case["shape"][::-1] if case["turned"] else case["shape"]),
            f"a whole picture of {case['shape']} gave {found}",
        )
