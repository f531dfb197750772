"""Digests of exit policies, from the layout in policy/src/digest.rs alone: python3 exit_policy.py"""

import hashlib
import ipaddress
import struct

CONTEXT = b"veilpool/exit-policy/v1"


def count(items):
    return struct.pack(">I", len(items))


def ports(ranges):
    return count(ranges) + b"".join(struct.pack(">HH", *r) for r in ranges)


def digest(body):
    return hashlib.sha256(CONTEXT + body).hexdigest()


# Port 0 is always refused.
TCP = [(0, 0), (23, 23), (25, 25), (119, 119), (135, 139), (445, 445), (563, 563), (2323, 2323),
       (5555, 5555), (6660, 6669), (6881, 6999), (7547, 7547)]
UDP = [(0, 0), (135, 139), (445, 445), (1900, 1900), (5351, 5351), (6881, 6999), (11211, 11211)]
nothing = count([])
# Mode, flags, ports, refused IPv4 and IPv6, exact and prefix exceptions of both families.
print("default", digest(b"\x00\x07" + ports(TCP) + ports(UDP) + nothing * 6))


def exits(addresses):
    packed = [ipaddress.ip_address(a).packed + struct.pack(">H", p) for a, p in addresses]
    return count(packed) + b"".join(sorted(packed))


print("entry", digest(b"\x01" + exits([("198.7.6.5", 51820)]) + exits([("2a00:9::7", 51820)])))
four = [struct.pack(">I", int(ipaddress.ip_address("198.7.6.0"))), struct.pack(">I", int(ipaddress.ip_address("198.7.6.255")))]
exact = [(ipaddress.ip_address("10.0.5.3").packed * 2, [(1, 9), (4000, 4000)])]
areas = count(exact) + b"".join(a + ports(p) for a, p in exact)
six = ipaddress.ip_network("fd00:1::/64")
six = six[0].packed + six[-1].packed + ports([(443, 443)])
print("full", digest(b"\x00\x03" + ports([(0, 0), (20, 30)]) + ports([(0, 52), (54, 65535)])
                     + count([1]) + b"".join(four) + nothing
                     + areas + nothing + nothing + count([1]) + six))
