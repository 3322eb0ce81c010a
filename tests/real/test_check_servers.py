"""`sse check` on the servers of endpoints.py: no error on a good one, and at most two bad ones missed, whatever
the machine does beside it. tests/real/check_table.py prints the whole."""
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from check_table import bad, good, look
from endpoints import BAD, GOOD, REMEDIES, npm_folder
from support import php_fpm
from support.proxies import NAMES, program

pytestmark = pytest.mark.release
AT_ONCE = int(os.environ.get("SSE_CHECK_JOBS", "16"))  # most of it is waiting


def available(name):
    """What an endpoint is made of is installed."""
    server = name.split(",")[0].split(" ")[0]
    if ("fcgi" in name or "php-fpm" in name) and not php_fpm.program():
        return False
    if name.startswith("node, compression") and not npm_folder():
        return False
    return server not in (*NAMES, "gunicorn", "node", "php") or program(server)


def run(sse, table, entry_of):
    names = [name for name in table if available(name)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {name: pool.submit(look, sse.binary, *entry_of(table[name])) for name in names}
    return {name: future.result() for name, future in futures.items()}


def test_a_good_endpoint_has_no_error(sse):
    found = run(sse, GOOD, good)
    wrong = {name: ids for name, ids in found.items() if "error" in ids.values()}
    assert not wrong and len(found) >= 26


def test_the_fault_of_a_bad_endpoint_is_found(sse):
    found = run(sse, BAD, lambda entry: (bad(entry)[0], bad(entry)[2]))
    missed = {name: ids for name, ids in found.items() if not bad(BAD[name])[1] & ids.keys()}
    assert len(missed) <= 2, missed
    assert len(found) >= 60


def test_the_remedies_for_servers_of_debian_are_tried(sse):
    checks = {check["id"]: check for check in json.loads(sse.run("check", "--explain", "all", "-o", "json").out)}
    tried = {(id, remedy.split(":")[0]) for id in ("held-back", "compression-holds", "cut")
             for remedy in checks[id]["servers"] if not remedy.endswith("(from its documentation)")}
    assert tried == set(REMEDIES)
    for fault, cured in REMEDIES.values():
        assert cured in GOOD and fault in (None, *BAD)
