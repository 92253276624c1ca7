"""How fast a site's trail is verified: the independent verifier against PostgreSQL hashing the same bytes and nothing else.

    .venv/bin/python tests/bench/verification.py [--entries 1000000] [--streams 2000] [--rounds 3]

The trail is made by SQL with every trigger off, entries in the written-down form, chained, citing no rows. The plain pass counts
entries whose hash is not that of their bytes; the verifier also checks form, order, links, heads, and every column beside the
bytes. Its largest memory is printed too: it has to stay bounded however long the trail is.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import place

FILL = """
DO $$
DECLARE
  site uuid := gen_random_uuid(); deed uuid; entry uuid; before bytea; digest bytea; canon bytea; name text; at timestamptz := clock_timestamp();
  said text := to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
BEGIN
  FOR s IN 1..{streams} LOOP
    before := decode(repeat('00', 32), 'hex'); name := 'lot:' || gen_random_uuid();
    FOR n IN 1..{each} LOOP
      deed := gen_random_uuid(); entry := gen_random_uuid();
      canon := convert_to('{{"at":"' || said || '","by":{{"id":null,"name":"Maya Demo","role":"Operator","username":"maya"}},"canon":1,"channel":"page",'
        || '"deed":"' || deed || '","events":["batches.value_recorded"],"id":"' || entry || '","lot":null,"prev":"' || encode(before, 'hex')
        || '","reason":"","rows":[],"seq":"' || n || '","siblings":[],"site":"' || site || '","station":"tablet-1","stream":"' || name
        || '","wall":"' || said || '"}}', 'UTF8');
      digest := sha256('cartulary:entry:v1'::bytea || '\\x00'::bytea || canon);
      INSERT INTO mes_auditentry (id, stream, seq, site_id, deed_id, at, wall, by_username, by_name, role, channel, station, events, reason, canon,
                                  prev_hash, hash)
      VALUES (entry, name, n, site, deed, at, at, 'maya', 'Maya Demo', 'Operator', 'page', 'tablet-1', '["batches.value_recorded"]', '', canon, before, digest);
      before := digest;
    END LOOP;
    INSERT INTO mes_streamhead (stream, site_id, seq, hash) VALUES (name, site, {each}, before);
  END LOOP;
END $$"""

PLAIN = r"SELECT count(*) FROM mes_auditentry WHERE hash <> sha256('cartulary:entry:v1'::bytea || '\x00'::bytea || canon)"


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--entries", type=int, default=1_000_000)
    words.add_argument("--streams", type=int, default=2000)
    words.add_argument("--rounds", type=int, default=3)
    given = words.parse_args()
    with place.own_database() as database:
        place.say_where(database)
        with database.connect(autocommit=True) as admin:
            admin.execute("SET session_replication_role = replica")
            admin.execute("ALTER TABLE mes_auditentry DISABLE TRIGGER ALL")
            admin.execute(FILL.format(streams=given.streams, each=max(1, given.entries // given.streams)))
            admin.execute("ALTER TABLE mes_auditentry ENABLE TRIGGER ALL")
            admin.execute("VACUUM ANALYZE mes_auditentry")
            admin.execute("SET max_parallel_workers_per_gather = 0")
            verifier = [sys.executable, "-m", "mes.verifier", "--url", database.urls["VERIFY_DATABASE_URL"]]
            said: list[str] = []

            def verify() -> None:
                said.append(subprocess.run(verifier, cwd=place.ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())

            plain, whole = "plain SQL hash pass, 1 process", "the verifier: form, order, links, columns, heads, hashes"
            times = place.take_turns({plain: lambda: admin.execute(PLAIN).fetchone(), whole: verify}, rounds=given.rounds, each=1)
        print(f"\n{said[-1]}")
        place.table(times)
        place.goal("speed of the verifier as part of the plain pass", place.ratio(times, plain, whole), 0.4)
        print(f"  largest memory of a verifying process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
