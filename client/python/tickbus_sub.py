#!/usr/bin/env python3
"""Prints the events of one PUB socket, as docs/PROTOCOL.md has them: tickbus_sub.py [PORT [HOST]]"""
import socket, struct, sys
HEAD = "seq:Q pos:Q event_ns:q recv_ns:q "
ROOT = "epoch:Q publish_ns:q frame_seq:Q last_pos:Q"
BLOCKS = {1: HEAD + "price_e9:q size_e8:q bid_e9:q ask_e9:q bid_size_e8:q ask_size_e8:q source_seq:Q ref_seq:Q cond:8s "
             "symbol_id:I source_id:H action:B flags:B symbol:32s",
          2: HEAD + "bar_start_ns:q open_e9:q high_e9:q low_e9:q close_e9:q volume_lo:Q volume_hi:q log_return_1:d "
             "spread_estimate:d vwap:d trade_count:Q first_pos:Q last_pos:Q revision:I timeframe_s:I symbol_id:I source_id:H "
             "schema_version:H flags:B state:B price_type:B cause:B spread_method:B outlier_reason:B late_ticks:H symbol:32s source:16s chain:Q",
          3: HEAD + "bar_seq:Q feature_version:Q warm:Q bars_seen:Q value:30d norm:18d timeframe_s:I bar_revision:I symbol_id:I "
             "schema_version:H flags:B price_type:B symbol:32s chain:Q",
          4: HEAD + "supersedes:Q universe_hash:Q content_hash:Q eigen_min:d frobenius_shift:d lambda:d timeframe_s:I window:I n_members:I "
             "n_included:I schema_version:H method:B status:B psd_repaired:B price_type:B cause:B reserved:B universe:32s chain:Q",
          6: HEAD + "detail:Q symbol_id:I source_id:H state:B reserved:B symbol:32s text:80s chain:Q",
          8: "last_seq:Q pos:Q symbol_id:I timeframe_s:I symbol:32s"}
MEMBER = "bar_seq:Q bar_revision:I n_obs:I symbol_id:I reason:B reserved:3s symbol:32s"
def block(spec, data, at, out):
    for name, code in (field.split(":") for field in spec.split()):
        value = struct.unpack_from("<" + code, data, at)
        at += struct.calcsize("<" + code)
        out[name] = value[0].rstrip(b"\0").decode() if code[-1] == "s" else value[0] if len(value) == 1 else value
    return {name: None if value == -2**63 else value for name, value in out.items()}
def read(sock, n):
    return sock.recv(n, socket.MSG_WAITALL) if n else b""
sock = socket.create_connection((sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1", int((sys.argv + ["7401"])[1])))
sock.sendall(bytes.fromhex("0053500000210000"))
assert read(sock, 8) == bytes.fromhex("0053500000200000"), "not a PUB socket"
while size := read(sock, 8):
    topic, body = read(sock, struct.unpack(">Q", size)[0]).split(b"|", 1)
    (length, template), at = struct.unpack_from("<HH", body), 8 + struct.unpack_from("<H", body)[0]
    (stride, n), event = struct.unpack_from("<HH", body, at), block(ROOT, body, 8, {"kind": topic.decode()})
    if template == 4:  # a matrix: its block in the root, its members, its triangle behind a 6-byte header
        event, at = block(BLOCKS[4], body, 40, event), at + 4
        event["members"] = [block(MEMBER, body, at + i * stride, {}) for i in range(n)]
        (step, cells), at = struct.unpack_from("<HI", body, at + n * stride), at + n * stride + 6
        print({**event, "triangle": [struct.unpack_from("<d", body, at + i * step)[0] for i in range(cells)]}, flush=True)
    for i in range(n if template in BLOCKS and template != 4 else 0):
        print(block(BLOCKS[template], body, at + 4 + i * stride, dict(event)), flush=True)
