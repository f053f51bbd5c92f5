import threading
from collections.abc import Iterator

import pytest

from flight_server.inquiry import Inquiry
from tests.support.waiting import wait_for


class Question:
    """Answered with how often it was asked, when the test lets it."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = threading.Event()

    def __call__(self) -> int:
        self.asked += 1
        assert self.go_on.wait(60)
        return self.asked


@pytest.fixture
def question() -> Iterator[Question]:
    question = Question()
    yield question
    question.go_on.set()


def test_an_answer_is_waited_for(question: Question) -> None:
    question.go_on.set()
    inquiry = Inquiry(question)
    for times in (1, 2):
        inquiry.begin()
        inquiry.wait(60)
        assert inquiry.answer == times
        assert inquiry.waiting == 0


def test_nobody_waits_for_longer_than_they_said(question: Question) -> None:
    inquiry = Inquiry(question)
    inquiry.begin()
    inquiry.wait(0)
    assert inquiry.answer is None
    assert inquiry.waiting > 0


def test_the_wait_counts_from_when_it_was_asked(question: Question) -> None:
    """Whoever comes late to a question that hangs does not wait anew."""
    now = [100.0]
    inquiry = Inquiry(question, lambda: now[0])
    inquiry.begin()
    now[0] += 3600
    inquiry.wait(3600)
    assert inquiry.waiting == 3600


def test_what_hangs_is_not_asked_again(question: Question) -> None:
    """However often somebody asks, it holds one thread."""
    inquiry = Inquiry(question)
    for _ in range(10):
        inquiry.begin()
    wait_for(lambda: question.asked)
    question.go_on.set()
    inquiry.wait(60)
    assert question.asked == 1
