"""What was hit, and what became of it: the table at the end."""

from collections import Counter
from dataclasses import dataclass, field

from tests.support.soak.journal import UNFINISHED


@dataclass
class Tally:
    """Counts of one run, or of several added up."""

    blows: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    """Processes that ended because of a blow."""
    hit: Counter[str] = field(default_factory=Counter)
    """Tasks at the moment of a death, by state."""
    deaths_with: Counter[str] = field(default_factory=Counter)
    """Deaths at which there was a task in that state."""
    fates: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What became of tasks that were hit, by the state and the end."""
    ends: Counter[str] = field(default_factory=Counter)
    """All tasks, by their end."""
    exports: int = 0
    """Requests of clients."""
    retried: int = 0
    """Of these: COMPLETED after a task of them was ended by a blow."""
    downloads: int = 0
    lost: int = 0
    wrong: int = 0

    def add(self, other: "Tally") -> None:
        """Add what another run counted."""
        for name, value in vars(other).items():
            mine = getattr(self, name)
            if isinstance(value, Counter):
                mine.update(value)
            else:
                setattr(self, name, mine + value)

    def table(self) -> str:
        """The table, as text."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.blows.items()))
        ends = ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items()))
        lines = [
            f"deaths {self.deaths} (blows: {kinds})",
            f"exports {self.exports}, sent again after a death and COMPLETED {self.retried}",
            f"tasks {sum(self.ends.values())}: {ends}",
            "state at death  deaths   tasks  what became of them",
        ]
        for state in UNFINISHED:
            fates = {end: count for (was, end), count in self.fates.items() if was == state}
            said = ", ".join(f"{count} {end}" for end, count in sorted(fates.items()))
            lines.append(f"{state:<14} {self.deaths_with[state]:>7} {self.hit[state]:>7}  {said}")
        lines.append(f"files downloaded and compared {self.downloads}")
        lines.append(f"lost {self.lost}, wrong answers {self.wrong}")
        return "\n".join(lines)
