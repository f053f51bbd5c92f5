"""A server of the original gRPC contract that misbehaves on demand, for clients of that contract.

It is written from the contract and shares no code with the server of this project, so that a
client's bytes are read by somebody else. Each call says by its metadata `x-scenario` what is to
happen to it; see `scenarios.py`. No file is made: rows are looked at and forgotten.

    python -m tests.support.standin DIRECTORY    serves until its standard input ends; writes
                                                 DIRECTORY/ready.json with the addresses
"""
