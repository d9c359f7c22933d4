"""Archives: zip and tar in every packing, damaged or hostile."""

import bz2
import gzip
import io
import lzma
import random
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

from fuzz import files_below, held
from fuzzing.damage import damaged

from releaf.data.archives import ArchiveError, unpack

PACKINGS = {"tar": lambda content: content, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
NAMES = (
    "../../x",
    "/tmp/x",
    "a/../../x",
    "C:/x",
    "a\\b",
    "a\0b",
    "",
    ".",
    "./",
    "a/",
    "a",
    "a/b",
    "A",
    "a/./b",
    "//x",
    "~/x",
    "CON",
    "x" * 300,
    "d/" * 2000 + "x",
    "café.jpg",
    "cafe\u0301.jpg",
    "caf\udce9.jpg",
    "\u202egpj.exe",
    "-rf",
    "$(touch ran)",
    "a\nb",
    " ",
    "..",
    "...",
    "__MACOSX/._a",
    "e" * 5000,
    "a//b",
)


def _members(rng: random.Random) -> dict[str, bytes]:
    "A small sound set"
    return {f"set/{label}/{number}.jpg": rng.randbytes(rng.randint(0, 3000)) for label in ("glass", "paper") for number in range(3)}


def _zip(rng: random.Random, hostile: bool) -> tuple[bytes, dict, str]:
    members, how, buffer = _members(rng), "whole", io.BytesIO()
    with zipfile.ZipFile(
        buffer, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    ) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        if hostile:
            how = rng.choice(["names", "names", "names", "link", "device", "zeros", "many", "folders", "sizes", "offset", "flag", "extra"])
            if how == "names":
                for name in rng.choices(NAMES, k=rng.randint(1, 3)):
                    info = zipfile.ZipInfo("x")
                    info.filename = info.orig_filename = name.encode("utf-8", "replace").decode()[:60_000] or "x"
                    archive.writestr(info, b"hostile")
                    info.filename = info.filename if name else ""  # in the table alone
            elif how in ("link", "device"):
                info = zipfile.ZipInfo("set/link")
                info.external_attr = (
                    (stat.S_IFLNK if how == "link" else rng.choice([stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])) | 0o777
                ) << 16
                archive.writestr(info, "/etc/passwd")
            elif how == "zeros":
                archive.writestr("zeros.bin", bytes(rng.choice([500_000, 2_000_000, 30_000_000])), zipfile.ZIP_DEFLATED)
            elif how == "many":
                for number in range(3000):
                    archive.writestr(f"m/{number}", b"")
            elif how == "folders":
                for number in range(3000):
                    archive.writestr(f"m/{number}/", b"")
            elif how == "extra":
                info = zipfile.ZipInfo("set/extra.jpg")
                info.extra = rng.randbytes(rng.randint(1, 60))
                archive.writestr(info, b"x")
            else:
                info = rng.choice(archive.filelist)
                field = {"sizes": "file_size", "offset": "header_offset", "flag": "flag_bits"}[how]
                setattr(info, field, rng.choice([0, 1, 7, 2**31, 2**40]) if field != "flag_bits" else rng.choice([1, 0x20, 0x40, 0x2000]))
    return buffer.getvalue(), members, f"zip {how}"


def _block(kind: bytes, size: int, content: bytes = b"", name: str = "x") -> bytes:
    "A header of a tar with any size, and its content"
    info = tarfile.TarInfo(name)
    info.type = kind
    found = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    found[124:136] = (
        b"%011o\0" % size if 0 <= size < 8**11 else struct.pack(">I", 0x80000000 if size > 0 else 0xFFFFFFFF) + struct.pack(">q", size)
    )
    found[148:156] = b"%06o\0 " % (sum(found[:148]) + sum(found[156:]) + 256)
    return bytes(found) + content + bytes(-len(content) % 512)


def _tar(rng: random.Random, hostile: bool) -> tuple[bytes, dict, str]:
    members, how, buffer = _members(rng), "whole", io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=rng.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
    ) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    content, packing = buffer.getvalue(), rng.choice(list(PACKINGS))
    if hostile:
        how = rng.choice(["names", "names", "names", "kind", "long", "pax", "pax", "minus", "row", "shared", "zeros", "many", "folders"])
        if how == "names":
            more = io.BytesIO()
            with tarfile.open(fileobj=more, mode="w", format=rng.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])) as archive:
                for name in rng.choices(NAMES, k=rng.randint(1, 3)):
                    archive.addfile(tarfile.TarInfo(name))
            content = more.getvalue().rstrip(b"\0") + bytes(-len(more.getvalue().rstrip(b"\0")) % 512) + content
        else:
            line = rng.choice(
                [
                    b"13 size=-512\n",
                    b"20 size=99999999999\n",
                    b"9" * 60000,
                    b"22 GNU.sparse.major=1\n",
                    b"30 GNU.sparse.name=../../../x..\n",
                    b"5 a=b",
                    b"0 a=b\n",
                    b"12 path=../x\n",
                    b"15 path=/etc/xx\n",
                    b"27 hdrcharset=BINARY=======\n",
                    b"16 linkpath=/etc\n",
                    b"\xff\xfe" * 300,
                ]
            )
            first = {
                "kind": lambda: _block(
                    rng.choice([b"1", b"2", b"3", b"4", b"6", b"7", b"S", b"V", b"M", b"Z", b"\xff"]), rng.choice([0, 5]), b""
                ),
                "long": lambda: _block(rng.choice([b"L", b"K", b"x", b"g"]), rng.choice([2**29, 2**33, 2**60, 70_000]), b"a" * 70_000),
                "pax": lambda: _block(rng.choice([b"x", b"g", b"X"]), len(line), line),
                "minus": lambda: _block(rng.choice([b"0", b"x", b"L", b"5"]), -rng.choice([1, 512, 2**40])),
                "row": lambda: _block(rng.choice([b"L", b"x", b"g"]), 8, b"8 a=bcd\n") * rng.choice([9, 3000]),
                "shared": lambda: _block(b"g", 60000, b"60000 a=" + b"b" * 59991 + b"\n") * 2,
                "zeros": lambda: _block(b"0", size := rng.choice([500_000, 30_000_000]), bytes(size), "zeros.bin"),
                "many": lambda: b"".join(_block(b"0", 0, b"", f"m/{number}") for number in range(3000)),
                "folders": lambda: b"".join(_block(b"5", 0, b"", f"m/{number}/") for number in range(3000)),
            }[how]()
            content = first + content
    return PACKINGS[packing](content), members, f"{packing} {how}"


def make(rng: random.Random, number: int, folder: Path) -> dict:
    "An archive, and a folder that was unpacked before"
    kind = "whole" if number % 10 == 0 else "damaged" if number % 3 == 0 else "hostile"
    content, members, what = rng.choice([_zip, _tar])(rng, kind == "hostile")
    if kind == "damaged":
        content, how = damaged(rng, content)
        what += f" {how}"
    (folder / "archive.bin").write_bytes(content)
    return {"what": what, "path": folder / "archive.bin", "members": members, "kind": kind}


def check(case: dict, folder: Path) -> None:
    "All files with their bytes, or an ArchiveError that names the archive and leaves the folder as it was"
    target = folder / "output" / "set"
    target.mkdir(parents=True)
    (target / "before.txt").write_text("before")
    try:
        done = unpack(case["path"], target, max_files=2000)
    except ArchiveError as error:
        held("archive.bin" in str(error), f"the error does not name the archive: {error}")
        held(case["kind"] != "whole", f"a sound archive was refused: {error}")
        held(files_below(folder / "output") == {"set": -1, "set/before.txt": 6}, f"left behind: {list(files_below(folder / 'output'))[:4]}")
        return
    found = {name: size for name, size in files_below(target).items() if size >= 0}
    held(list((folder / "output").iterdir()) == [target], "files beside the folder")
    held(
        (len(found), sum(found.values())) == (done.files, done.bytes),
        f"{len(found)} files of {sum(found.values())} bytes, told {done.files} and {done.bytes}",
    )
    held(not any(path.is_symlink() for path in target.rglob("*")), "a link")
    held(done.files <= 2000 and done.bytes < 100_000_000, f"{done.files} files of {done.bytes} bytes")
    if case["kind"] != "damaged":
        wrong = [
            name for name, content in case["members"].items() if not (target / name).is_file() or (target / name).read_bytes() != content
        ]
        held(not wrong, f"members that are missing or other: {wrong[:3]}")
