"""Writes events.golden: an event file put together by hand, with no library.

CRC-32C bit by bit (RFC 3720, appendix B.4), the masking of TFRecord, and
protobuf fields as bytes. Run: python3 events.py
"""
import struct


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def sized(key, data):
    return bytes([key]) + varint(len(data)) + data


WALL = b"\x09" + struct.pack("<d", 1700000000.25)  # field 1, 64 bits


def scalar(step, tag, value):
    v = sized(0x0A, tag) + b"\x15" + struct.pack("<f", value)  # Value: 1 tag, 2 simple_value
    return WALL + b"\x10" + varint(step) + sized(0x2A, sized(0x0A, v))  # 2 step, 5 summary


with open("events.golden", "wb") as f:
    f.write(record(WALL + sized(0x1A, b"brain.Event:2")))  # 3 file_version
    f.write(record(WALL + b"\x10" + varint(301) + sized(0x3A, b"\x08\x01")))  # 7 session_log: 1 status = START
    f.write(record(scalar(301, b"train/loss", 5.99146)))
    f.write(record(scalar(100000, b"train/lr", 0.005)))
