#!/usr/bin/env python3
"""check.py STEMMA EXAMPLES: asks a validator of JSON Schema what `stemma schema` is good for.

Every example of the tree must pass it; files with one mistake each must not; and what the schema refuses, the
program refuses, too (the other way round the program knows more: cycles, duplicates, names of servers)."""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile
import tomllib

import jsonschema

GOOD = """
[topology]
name = "tree"
coordinates = "auto"
[admin]
user = "stemma"
password = { env = "ADMIN" }
tls = "verify-ca"
ca = "/ca.pem"
[replication]
user = "repl"
password = { command = ["vault", "read"] }
connect_retry = "10s"
[defaults]
read_only = false
[server.primary]
address = "127.0.0.1:3306"
server_id = 1
[server.replica]
address = "unix:/run/mysqld.sock"
advertise = "[::1]:3306"
source = "primary"
heartbeat = "500ms"
do_db = ["app"]
do_domain_ids = [1, 2]
variables = { sync_binlog = 1, binlog_format = "ROW", innodb_print_all_deadlocks = true }
[limits]
lag = "10s"
[verify]
read = "db:3306"
[[ignore]]
code = "replica.lag"
reason = "planned"
until = 2026-12-31
"""

# What to put where, by the path of its key.
BROKEN = [
    ("topolgy", {}),
    ("topology.coordinates", "gtids"),
    ("topology.name", ""),
    ("topology.name", 7),
    ("admin.tls", "on"),
    ("admin.password", {"env": "A", "file": "b"}),
    ("admin.password", {"environment": "A"}),
    ("admin.password", {"command": []}),
    ("replication.connect_retry", "10"),
    ("replication.connect_retry", 10),
    ("replication.source", "primary"),
    ("server", {}),
    ("server.a b", {"address": "h:1"}),
    ("server.primary.adress", "h:1"),
    ("server.primary.server_id", 0),
    ("server.primary.server_id", 4294967296),
    ("server.primary.read_only", "yes"),
    ("server.primary.advertise", "unix:/run/x.sock"),
    ("server.replica.source", "no server"),
    ("server.replica.provision", "hope"),
    ("server.replica.at", "here"),
    ("server.replica.do_db", "app"),
    ("server.replica.do_domain_ids", ["a"]),
    ("server.replica.variables", {"x": [1]}),
    ("server.replica.channel", {"Big": {"source": "primary"}}),
    ("server.replica.channel", {"b": {}}),
    ("limits.lag", "-1s"),
    ("limits.step", "forever"),
    ("verify.port", 1),
    ("ignore", {"code": "replica.lag", "reason": "x"}),
    ("ignore", [{"code": "replica.lagging", "reason": "x"}]),
    ("ignore", [{"code": "replica.lag"}]),
]


def plain(document):
    """TOML as JSON has it: dates are texts."""
    return json.loads(json.dumps(document, default=str))


def put(document, path, value):
    *tables, key = path.split(".")
    for name in tables:
        document = document.setdefault(name, {})
    document[key] = value


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def program_says(stemma, document):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "topology.toml"
        file.write_text("".join(f"{json.dumps(k)} = {toml(v)}\n" for k, v in document.items()))
        return subprocess.run([stemma, "validate", str(file)], capture_output=True, text=True)


def main():
    stemma, examples = sys.argv[1], pathlib.Path(sys.argv[2])
    schema = json.loads(subprocess.run([stemma, "schema"], check=True, capture_output=True, text=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    wrong = []

    good = plain(tomllib.loads(GOOD))
    files = sorted(examples.glob("*/*.toml"))
    documents = [("the good file", good)] + [(str(f), plain(tomllib.loads(f.read_text()))) for f in files]
    for name, document in documents:
        wrong += [f"{name}: {error.json_path}: {error.message}" for error in validator.iter_errors(document)]
    if not files:
        wrong.append("no example was found")
    if (said := program_says(stemma, {k: v for k, v in good.items() if k != "ignore"})).returncode != 0:
        wrong.append(f"the program refuses the good file: {said.stderr}")

    for path, value in BROKEN:
        document = copy.deepcopy(good)
        document.pop("ignore", None)
        put(document, path, value)
        if validator.is_valid(document):
            wrong.append(f"the schema takes {path} = {value!r}")
        if program_says(stemma, document).returncode != 1:
            wrong.append(f"the program takes {path} = {value!r}")

    print("\n".join(wrong) or f"{len(documents)} good files, {len(BROKEN)} broken ones: as they should be")
    return 1 if wrong else 0


sys.exit(main())
