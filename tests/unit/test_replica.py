"""Who is alive: leases by the database's clock, and locks that the operating system gives back."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.tasks import replica
from flight_server.tasks.locks import ProcessLock, directory_id
from flight_server.tasks.replica import Replica
from flight_server.tasks.replica_table import ReplicaTable
from flight_server.tasks.store import TaskStore
from tests.support.postgres import Postgres

LEASE = timedelta(seconds=60)
OVER = timedelta(seconds=-1)
"""A lease that is over when it begins."""


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(params=["sqlite", "postgresql"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReplicaTable]:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.database()
    store = TaskStore(url)
    yield ReplicaTable(store.database)
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def entered(
    table: ReplicaTable, directory: Path, clock: Clock, lease: timedelta = LEASE
) -> Replica:
    replica = Replica(table, directory, lease, monotonic=clock)
    replica.enter()
    return replica


def kept_fresh(replica: Replica, clock: Clock, seconds: int) -> None:
    """Let time pass in which `replica` renews its lease every ten seconds, as a heartbeat does."""
    for _ in range(seconds // 10):
        clock.seconds += 10
        replica.renew()


def judged(replica: Replica) -> tuple[set[str], set[str]]:
    living, dead = replica.others()
    return {each.replica_id for each in living}, {each.replica_id for each in dead}


def test_a_replica_that_renews_its_lease_is_alive(
    table: ReplicaTable, tmp_path: Path, clock: Clock
) -> None:
    one, two = entered(table, tmp_path / "1", clock), entered(table, tmp_path / "2", clock)
    clock.seconds += 3600
    one.renew()
    assert judged(one) == ({two.id}, set())
    assert judged(two) == ({one.id}, set())


def test_a_replica_is_well_while_it_holds_its_lease_and_says_since_when_it_does_not(
    table: ReplicaTable, tmp_path: Path, clock: Clock
) -> None:
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    replica = Replica(table, tmp_path, LEASE, monotonic=clock, clock=lambda: noon)
    replica.enter()
    clock.seconds += 60
    assert replica.check() == "the lease of this replica is held"
    clock.seconds += 1
    assert replica.heartbeat_age == 61
    with pytest.raises(ServiceError) as raised:
        replica.check()
    assert raised.value.code is ErrorCode.STORAGE_ERROR
    assert raised.value.message == (
        "the lease of this replica is over, and others may settle its exports: no heartbeat has "
        "reached the state database since 2026-01-02T12:00:00Z"
    )
    replica.renew()
    assert replica.check() == "the lease of this replica is held"


def test_one_that_says_so_is_gone(table: ReplicaTable, tmp_path: Path, clock: Clock) -> None:
    one, two = entered(table, tmp_path / "1", clock), entered(table, tmp_path / "2", clock)
    two.leave()
    assert judged(one) == (set(), {two.id})


def test_a_lease_that_is_over_tells_only_who_has_held_its_own_for_long_enough(
    table: ReplicaTable, tmp_path: Path, clock: Clock
) -> None:
    """After an outage of the database all leases are over, and nobody is dead."""
    late = entered(table, tmp_path / "1", clock, OVER)
    one = entered(table, tmp_path / "2", clock)
    assert judged(one) == ({late.id}, set())
    kept_fresh(one, clock, 50)
    assert judged(one) == ({late.id}, set())
    kept_fresh(one, clock, 10)
    assert judged(one) == (set(), {late.id})
    clock.seconds += 61  # the database was away
    one.renew()
    assert judged(one) == ({late.id}, set())
    late._lease = LEASE
    late.renew()
    kept_fresh(one, clock, 60)
    assert judged(one) == ({late.id}, set())


@pytest.mark.parametrize("away", [31, 45, 61, 3600])
def test_who_looks_before_it_has_renewed_its_own_lease_takes_nobody_for_dead(
    table: ReplicaTable, tmp_path: Path, clock: Clock, away: int
) -> None:
    """The database comes back; the thread that looks may be faster than the one that renews.

    It may also have been away for less than a lease: another one's ended all the same if it was
    due to be renewed just then.
    """
    late = entered(table, tmp_path / "1", clock, OVER)
    one = entered(table, tmp_path / "2", clock)
    kept_fresh(one, clock, 60)
    clock.seconds += away
    assert judged(one) == ({late.id}, set())
    one.renew()
    assert judged(one) == ({late.id}, set())


def test_a_process_that_was_killed_is_dead_at_once_for_who_shares_its_directory(
    table: ReplicaTable, tmp_path: Path, clock: Clock
) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from flight_server.tasks.locks import ProcessLock\n"
        "ProcessLock(Path(sys.argv[1]), 'killed').take()\n"
        "print('taken', flush=True)\n"
        "sys.stdin.read()\n"
    )
    shared = tmp_path / "spools"
    one = entered(table, shared, clock)
    stranger = entered(table, tmp_path / "elsewhere", clock)
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", program, str(shared)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"taken\n"
        table.renew("killed", LEASE, host="here", spools=one.spools)
        assert judged(one) == ({"killed", stranger.id}, set())
        process.kill()
    assert judged(one) == ({stranger.id}, {"killed"})
    assert judged(stranger) == ({one.id}, {"killed"}), "it has been told by the database"
    assert not ProcessLock(shared, "killed").is_free(), "its file is gone"


def test_a_lease_is_renewed_before_a_task_is_taken_if_it_is_not_fresh(
    table: ReplicaTable, tmp_path: Path, clock: Clock
) -> None:
    one, two = entered(table, tmp_path / "1", clock), entered(table, tmp_path / "2", clock)
    table.end(one.id)
    one.hold()
    assert judged(two) == (set(), {one.id}), "a fresh one is not renewed each time"
    clock.seconds += 31
    one.hold()
    assert judged(two) == ({one.id}, set())


def test_all_who_share_a_directory_call_it_by_one_name(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one", target_is_directory=True)
    (tmp_path / "one").mkdir()
    names = [directory_id(tmp_path / name) for name in ("one", "link", "one", "other")]
    assert names[0] == names[1] == names[2] != names[3]


def test_a_directory_that_cannot_be_used_is_said(
    table: ReplicaTable, tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError) as caught:
        entered(table, tmp_path / "file", clock)
    assert caught.value.code is ErrorCode.STORAGE_ERROR


def test_replicas_of_long_ago_are_forgotten_and_others_are_not(
    table: ReplicaTable, tmp_path: Path, clock: Clock
) -> None:
    one = entered(table, tmp_path, clock)
    table.renew("old", timedelta(days=-2), host="there", spools="")
    table.renew("lately", timedelta(hours=-2), host="there", spools="")
    table.forget()
    assert {each.replica_id for each in table.all()} == {one.id, "lately"}


def test_a_replica_is_alone_while_its_last_look_found_nobody_alive(
    table: ReplicaTable, tmp_path: Path, clock: Clock
) -> None:
    one = entered(table, tmp_path / "1", clock)
    assert not one.alone
    one.look_around()
    assert one.alone
    clock.seconds += 1
    assert one.alone
    clock.seconds += 0.1
    assert not one.alone
    two = entered(table, tmp_path / "2", clock)
    one.look_around()
    assert not one.alone
    two.leave()
    one.look_around()
    assert one.alone


def test_whoever_joins_waits_until_the_others_have_looked_around_and_nobody_waits_for_no_one(
    table: ReplicaTable, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(replica.time, "sleep", waited.append)
    entered(table, tmp_path / "1", clock).be_seen()
    assert waited == []
    two = entered(table, tmp_path / "2", clock)
    clock.seconds += 0.25
    two.be_seen()
    assert waited == [0.75]
    clock.seconds += 0.75
    two.be_seen()
    assert waited == [0.75]
