"""The independent verifier of the audit trail. It imports nothing of the product and shares no code with the writer.

An evidence file needs the standard library alone: `python3 cartulary-verify.pyz --evidence FILE --key KEY.txt`; a database also psycopg:
`… --url postgresql://…`. What is checked, and against what, stands in chain.py (the entries of each stream), rows.py (what they cite),
tables.py (what nobody cites), seals.py and signatures.py (who signed what), and for an evidence file in evidence.py, evidence_rows.py and
inclusion.py. The formats are written down in canon.py and signatures.py. 21 CFR 11.10(a), (c), (e); EU GMP Annex 11 (2011) 9.
"""
