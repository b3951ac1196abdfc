"""Words and conditions of the queue's filter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwtui.core.events import JobChanged, JobsAdded
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.job import Cancelled, Job, MediaInfo, Pending, Processing, Skipped
from fwtui.core.view import length_of
from fwtui.tui.model import BatchModel
from fwtui.tui.queue_filter import FILTER_STATES, HINT, parse_filter, parse_length
from fwtui.tui.sort_filter import SORTS, Sort, VisibleJobs, matching
from tests.tui.fakes import NOW, completed, failed, job

CHECK = (Finding(FindingKind.LOW_CONFIDENCE, 1.0, 2.0, ""),)
STATES = (
    Pending(),
    Processing(NOW),
    completed(20.0, 10.0, language="de"),
    completed(90.0, 10.0, language="en", findings=CHECK),
    failed(),
    Cancelled(NOW),
    Skipped(NOW, "by you"),
)
JOBS = [
    job(
        n,
        f"{'Talk' if n % 2 else 'Interview'} {n}.mp3",
        state=STATES[n % len(STATES)],
        media=MediaInfo(length) if (length := (0.0, 30.0, 90.0, 1800.0, 5400.0)[n % 5]) else None,
    )
    for n in range(1, 41)
]
CONDITIONS = (
    *(f"is:{state}" for state in FILTER_STATES),
    *("lang:de", "lang:german", "lang:en|de", "is:failed,check"),
    *("length>30m", "length<90s", "length>=1:30", "length=30s", "length < 1h30m"),
    *("speed>5", "speed<=2x", "findings>0", "findings=0"),
)
TEXTS = ("talk", "1", ".mp3", "k 1", '"talk 3"')


def model(jobs: list[Job] | None = None) -> BatchModel:
    made = BatchModel()
    made.fold(JobsAdded(tuple(JOBS if jobs is None else jobs)))
    return made


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("lang:de", {2}),
        ("lang:German", {2}),
        ("lang:Deutsch", {2}),
        ("lang:d", {2}),
        ("lang:fr", set()),
        ("is:check", {3}),
        ("is:done", {2, 3}),
        ("is:failed|waiting", {0, 4}),
        ("is:", set(range(7))),
        ("findings>0", {3}),
        ("speed>5", {3}),
        ("speed<5x", {2}),
        ("is:done lang:en", {3}),
        ("lang:en is:done talk", {3}),
        ("lang:en is:done interview", set()),
    ],
)
def test_what_conditions_find(typed: str, names: set[int]) -> None:
    jobs = [job(n, f"talk {n}.mp3", state=state) for n, state in enumerate(STATES)]
    assert set(matching(model(jobs), typed)) == names


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("30min", 1800),
        ("1h", 3600),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("1:30", 90),
        ("1:02:05", 3725),
        ("", None),
        ("90", None),
        ("x", None),
        ("1:99", None),
        ("30m2h", None),
        ("-5s", None),
    ],
)
def test_lengths(text: str, seconds: float | None) -> None:
    assert parse_length(text) == seconds


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("is:foo", "is:foo is no state: waiting"),
        ("lang:klingon", "no language"),
        ("length>", "90s, 30m"),
        ("length>soon", "90s, 30m"),
        ("length>30", "90s, 30m"),
        ("length>>30m", "90s, 30m"),
        ("speed>fast", "a number"),
        ("size>5", "length, speed and findings are"),
        ("talk is:done speed<", "a number"),
    ],
)
def test_what_cannot_be_read_says_why_and_shows_nothing(typed: str, said: str) -> None:
    assert said in parse_filter(typed).problem
    assert matching(model(), typed) == []
    view = VisibleJobs(model(), needle="talk")
    view.rebuild()
    view.narrow(typed)
    assert view.ids == []
    assert not view.follow({1, 2})


@pytest.mark.parametrize("typed", ["12:30", "a=b", "v=x", "island:", 'a"b', '"', "re: talk", "x:y"])
def test_names_may_look_like_conditions(typed: str) -> None:
    assert not parse_filter(typed).problem


def test_the_hint_names_every_kind_of_word() -> None:
    assert all(state in HINT for state in FILTER_STATES)
    assert all(word in HINT for word in ("lang:", "length>", "speed<", "findings>"))


@given(
    st.lists(st.sampled_from(CONDITIONS), max_size=3),
    st.sampled_from(("", *TEXTS)),
    st.integers(0, 3),
)
def test_all_conditions_and_the_text_must_hold(words: list[str], text: str, at: int) -> None:
    words.insert(at, text)
    made = model()
    found = [set(matching(made, word)) for word in words]
    wanted = [n for n in made.order if all(n in one for one in found)]
    assert matching(made, "  ".join(words)) == wanted
    assert matching(made, " ".join(words).upper()) == wanted


@given(st.text(max_size=20))
def test_any_text_can_be_typed(typed: str) -> None:
    made = model()
    view = VisibleJobs(made)
    view.rebuild()
    for end in range(len(typed) + 1):  # letter by letter
        view.narrow(typed[:end])
        assert view.ids == matching(made, typed[:end])


@given(
    st.sampled_from(SORTS),
    st.sampled_from(("", "talk", *CONDITIONS, *TEXTS)),
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from(STATES), st.booleans()), max_size=8),
)
def test_a_view_that_follows_is_one_that_is_made_anew(
    sort: Sort, needle: str, changes: list[tuple[int, object, bool]]
) -> None:
    made = model()
    view = VisibleJobs(
        made, needle=needle, sort=sort, modified={n: float(n % 3) for n in made.order}
    )
    view.rebuild()
    for number, state, longer in changes:
        media = MediaInfo(60.0 if longer else 2400.0)
        made.fold(JobChanged(job(number, JOBS[number - 1].name, state=state, media=media)))
        view.follow({number})
        moved = list(view.ids)
        view.rebuild()
        assert moved == view.ids
    unknown_last = [n for n in view.ids if length_of(made.jobs[n]) > 0]
    if sort in {"shortest", "longest"}:
        assert view.ids[: len(unknown_last)] == unknown_last


@pytest.mark.parametrize("sort", SORTS)
def test_a_view_never_changes_the_order_of_the_queue(sort: Sort) -> None:
    made = model([job(n, f"talk {n}.mp3") for n in range(1, 9)])
    view = VisibleJobs(made, sort=sort)
    view.rebuild()
    for number in (3, 7, 1):
        made.fold(JobChanged(job(number, f"talk {number}.mp3", state=completed(90.0 * number))))
        view.follow({number})
        assert made.order == list(range(1, 9))
        assert sorted(view.ids) == made.order
