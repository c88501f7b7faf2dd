#!/usr/bin/env python3
"""Checks Jeoul's audit chain with nothing of Jeoul: one file, the standard library, no database.

    python verify_audit.py evidence.jsonl --key-file audit_key --anchors audit-anchors.jsonl

`evidence.jsonl` is what `manage.py export_evidence` wrote; only its rows with "view": "audit" count. Every
row's `hash` is HMAC-SHA256(key, prev_hash + canonical JSON of seq, at, actor, action, object, payload_hash,
key_id), the first `prev_hash` is empty and `seq` counts from 1 without a gap. Without a key only the links are
checked: whoever can write the database could have made them anew.

Exit 0: the chain is whole. 1: it is not; the first bad row is named. 2: the input cannot be read.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import sys

SIGNED = ("seq", "at", "actor", "action", "object", "payload_hash", "key_id")


def link(key: bytes, row: dict) -> str:
    body = json.dumps(
        {name: row[name] for name in SIGNED},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hmac.new(key, (row["prev_hash"] + body).encode(), hashlib.sha256).hexdigest()


def first_fault(rows: list[dict], key: bytes | None) -> str | None:
    """What is wrong with the first row that does not follow; None when all do."""
    previous = ""
    for number, row in enumerate(rows, start=1):
        if row["seq"] != number:
            return f"row {number} is missing: {row['seq']} comes in its place"
        if row["prev_hash"] != previous:
            return f"row {number} does not follow the one before it"
        if key is not None and not hmac.compare_digest(row["hash"], link(key, row)):
            return f"row {number} was not written with this key, or was changed"
        previous = row["hash"]
    return None


def lost(rows: list[dict], anchors: list[dict]) -> list[str]:
    """Anchors that the chain does not hold: it was cut, or written anew from some row on."""
    hashes = {row["seq"]: row["hash"] for row in rows}
    return [
        f"row {one['seq']} is not the one anchored at {one['at']}"
        for one in anchors
        if hashes.get(one["seq"]) != one["hash"]
    ]


def lines(path: str) -> list[dict]:
    with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def key_of(path: str | None) -> bytes | None:
    if path:
        with open(path, encoding="utf-8") as file:
            return file.read().strip().encode()
    return os.environ["AUDIT_KEY"].encode() if os.environ.get("AUDIT_KEY") else None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("evidence", help="the export, or - for standard input")
    parser.add_argument("--key-file", help="the key; else the environment's AUDIT_KEY, else none")
    parser.add_argument("--anchors", help="the file of anchors")
    asked = parser.parse_args()
    try:
        rows = [row for row in lines(asked.evidence) if row.get("view", "audit") == "audit"]
        key = key_of(asked.key_file)
        anchors = lines(asked.anchors) if asked.anchors else []
        faults = [*filter(None, [first_fault(rows, key)]), *lost(rows, anchors)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1
    if not rows:
        print("no row of the audit in this file: nothing is proven", file=sys.stderr)
        return 2
    how = "every row is signed with the key" if key else "the links hold; no key was given"
    print(f"{len(rows)} rows, {how}; {len(anchors)} anchors hold")
    return 0


if __name__ == "__main__":
    sys.exit(main())
