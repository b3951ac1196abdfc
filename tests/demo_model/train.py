"""Train the demo model: python -m tests.demo_model.train --work DIR [--start MODEL] [--seed 100].

Needs torch, scipy and espeak-ng. Each finished phase leaves a checkpoint in DIR, and a repeated
call goes on after the last one. `--start` is the folder of a converted model to begin with.

Two processes learn from windows of their own and average their gradients at each step: on two
cores that is quicker than two threads, and still the same for the same seed.
"""

import argparse
import itertools
import os
import pickle
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn import functional

from tests.demo_model.network import Heard, Network
from tests.demo_model.speech import Phrase, phrases
from tests.demo_model.thaw import thaw
from tests.demo_model.vocabulary import WORDS, Vocabulary
from tests.demo_model.windows import IGNORED, Batch, Windows


class Kind(NamedTuple):
    """`size` windows of `seconds` in a process's batch; `share` of the steps are of this kind."""

    seconds: float
    size: int
    share: float


class Phase(NamedTuple):
    """One part of the curriculum: `steps` batches of these kinds.

    Short windows, anywhere within the 30 s that the model knows, teach words and positions
    cheaply; full ones teach to keep track of a long window. The learning rate falls to nothing
    over the last `decay` steps. `mild`: with less noise; `prompted`: share of the windows that
    have a previous text; `frames` and `looking` weigh what only training asks for; phrases in which
    a word is said twice in a row come `twice` times more often; `blend`: share of the weights of
    the phase before in what this one leaves.
    """

    kinds: tuple[Kind, ...]
    steps: int
    rate: float = 1e-3
    decay: int = 0
    mild: bool = True
    prompted: float = 0.3
    frames: float = 0.2
    looking: float = 0.25
    twice: int = 0
    blend: float = 0.0


SHORT = (Kind(6, 10, 0.5), Kind(12, 5, 0.2), Kind(30, 2, 0.3))
PHASES = (
    Phase((Kind(10, 10, 1),), 800, 1.2e-3, 700, mild=False, prompted=0.15),
    Phase((Kind(30, 4, 1),), 1150, decay=1050, prompted=0.55),
    Phase(SHORT, 1700, frames=0.3, looking=0.2),
    Phase(SHORT, 2000),
    Phase((Kind(8, 10, 0.2), Kind(16, 6, 0.25), Kind(30, 4, 0.55)), 200),
    Phase((Kind(8, 10, 0.15), Kind(16, 6, 0.2), Kind(30, 4, 0.65)), 1500, decay=1400, frames=0.15),
    Phase(
        (Kind(8, 7, 0.35), Kind(16, 4, 0.25), Kind(30, 3, 0.4)),
        420,
        7e-4,
        380,
        prompted=0.65,
        frames=0.15,
    ),
    Phase(
        (Kind(8, 7, 0.2), Kind(16, 4, 0.25), Kind(30, 3, 0.55)),
        2000,
        decay=1900,
        prompted=0.6,
        frames=0.15,
    ),
    Phase(
        (Kind(8, 7, 0.1), Kind(16, 4, 0.2), Kind(30, 3, 0.7)),
        1900,
        decay=1800,
        prompted=0.4,
        frames=0.12,
        looking=0.2,
    ),
    Phase(
        (Kind(8, 7, 0.05), Kind(16, 4, 0.15), Kind(30, 3, 0.8)),
        700,
        4e-4,
        620,
        prompted=0.35,
        frames=0.1,
        looking=0.2,
        twice=2,
        blend=0.5,
    ),
)
PHRASES = 30_000
PROCESSES = 2
WARM_UP = 100  # steps
MEMORY = 0.998  # what a phase leaves is the running mean of the weights, of about 500 steps
# A timestamp may be a little off: how much of its weight the neighbours get, 20 ms each.
NEIGHBOURS = ((-2, 0.05), (-1, 0.2), (0, 0.5), (1, 0.2), (2, 0.05))
# Heads that are taught where to look: in the last layer at the word that comes next, in the ones
# before at the word that came last.
LOOKING = (0, 1)
QUIET_WEIGHT = 0.3


def token_loss(logits: torch.Tensor, labels: torch.Tensor, vocabulary: Vocabulary) -> torch.Tensor:
    """Mean cross-entropy; a timestamp's weight is shared with its neighbours."""
    chances = functional.log_softmax(logits, dim=-1)
    first, last = vocabulary.timestamp_begin, vocabulary.size - 1
    timed = labels >= first
    total = logits.new_zeros(())
    for step, share in NEIGHBOURS:
        near = torch.where(timed, (labels + step).clamp(first, last), labels)
        total -= share * chances.gather(-1, near[..., None])[..., 0].mean()
    return total


def looking_loss(shares: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
    """How much attention misses the frames at which something is heard."""
    frames = torch.arange(shares.shape[-1])
    inside = (frames >= spans[..., :1]) & (frames < spans[..., 1:])
    known = inside.any(-1)
    if not known.any():
        return shares.new_zeros(())
    seen = (shares[:, LOOKING, :, :] * inside[:, None]).sum(-1)
    return -(seen + 1e-4).log().mean(1)[known].mean()


def frames_loss(heard: Heard, batch: Batch) -> torch.Tensor:
    """How badly the word in the middle of each word, and silence, are told from each other."""
    words = batch.words.flatten()
    losses = functional.cross_entropy(
        heard.frames.flatten(0, 1), words, ignore_index=IGNORED, reduction="none"
    )
    said, quiet = losses[words > 0], losses[words == 0]
    nothing = losses.sum() * 0
    return (said.mean() if len(said) else nothing) + QUIET_WEIGHT * (
        quiet.mean() if len(quiet) else nothing
    )


def loss_of(heard: Heard, batch: Batch, vocabulary: Vocabulary, phase: Phase) -> torch.Tensor:
    """What the model gets wrong, and what helps it on the way: frames and attention."""
    tokens = token_loss(heard.tokens, batch.labels[batch.labels != IGNORED], vocabulary)
    before = torch.cat([torch.full_like(batch.spans[:, :1], -1), batch.spans[:, :-1]], dim=1)
    *earlier, last = heard.shares
    looking = looking_loss(last, batch.spans)
    for shares in earlier:
        looking = looking + looking_loss(shares, before)
    return tokens + phase.frames * frames_loss(heard, batch) + phase.looking * looking


def accuracies(heard: Heard, batch: Batch, v: Vocabulary) -> str:
    """Shares of words, of timestamps (within 0.1 s) and of spoken frames that are right."""
    guess = heard.tokens.argmax(-1)
    labels = batch.labels[batch.labels != IGNORED]
    text, times = labels < v.eot, labels >= v.timestamp_begin
    right = (guess == labels)[text].float().mean()
    near = ((guess - labels).abs() <= 5)[times].float().mean()
    said = batch.words > 0
    frames = (heard.frames.argmax(-1) == batch.words)[said].float().mean()
    return f"words {right:.3f} times {near:.3f} frames {frames:.3f}"


def rate_at(step: int, phase: Phase) -> float:
    """The learning rate of a step, from 1."""
    falling = (phase.steps - step) / phase.decay if phase.decay else 1.0
    return phase.rate * min(1.0, step / WARM_UP) * min(1.0, max(0.01, falling))


def averaged(parameters: list[torch.Tensor]) -> None:
    """Give each process the mean of all gradients, cut to length 1."""
    parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    whole = torch.cat([part.flatten() for part in parts])
    dist.all_reduce(whole)
    whole /= PROCESSES
    whole *= min(1.0, 1.0 / (float(whole.norm()) + 1e-6))
    sizes = [p.numel() for p in parameters]
    for parameter, part in zip(parameters, whole.split(sizes), strict=True):
        parameter.grad = part.view_as(parameter)


def train_phase(rank: int, model: Network, windows: Windows, phase: Phase, seed: int) -> Network:
    """One phase; returns the running mean. The first process tells of it every 50 steps."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.01, betas=(0.9, 0.98))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    mean = {name: value.clone() for name, value in before.items()}
    model.train()
    started = time.monotonic()
    for step, (kind, batch) in enumerate(ahead(windows, phase, seed), 1):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, phase)
        heard = model(batch.features, batch.begin, batch.tokens, batch.labels != IGNORED)
        loss = loss_of(heard, batch, windows.v, phase)
        optimizer.zero_grad()
        loss.backward()
        averaged(parameters)
        optimizer.step()
        with torch.no_grad():
            for name, value in model.state_dict().items():
                mean[name].lerp_(value, 1 - min(MEMORY, (step + 1) / (step + 20)))
        if step % 50 == 0 and rank == 0:
            print(
                f"step {step}, {kind.seconds:g} s: loss {loss.item():.3f} "
                f"{accuracies(heard, batch, windows.v)} after {time.monotonic() - started:.0f} s",
                flush=True,
            )
    for name, value in mean.items():
        value.lerp_(before[name], phase.blend)
    model.load_state_dict(mean)
    return model


def ahead(windows: Windows, phase: Phase, seed: int) -> Iterator[tuple[Kind, Batch]]:
    """The batches of a phase, each made while the one before is learnt from."""
    choose = random.Random(seed)  # the same kinds in all processes

    def make() -> tuple[Kind, Batch]:
        (kind,) = choose.choices(phase.kinds, [kind.share for kind in phase.kinds])
        return kind, windows.batch(kind.size, kind.seconds)

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(make)
        for _ in range(phase.steps):
            made = coming.result()
            coming = thread.submit(make)
            yield made


def spoken(folder: Path, workers: int) -> dict[str, list[Phrase]]:
    """The phrases to train on, synthesised once."""
    path = folder / "phrases.pkl"
    if not path.exists():
        made = list(phrases(PHRASES, 0, workers))
        by_language = {language: [p for p in made if p.language == language] for language in WORDS}
        path.write_bytes(pickle.dumps(by_language))
    found: dict[str, list[Phrase]] = pickle.loads(path.read_bytes())
    return found


def with_twice(speech: dict[str, list[Phrase]], more: int) -> dict[str, list[Phrase]]:
    """The phrases, and those in which a word is said twice in a row so many times more."""
    twice = {
        language: [p for p in said if any(a == b for a, b in itertools.pairwise(p.words))]
        for language, said in speech.items()
    }
    return {language: said + twice[language] * more for language, said in speech.items()}


def learn(
    rank: int, speech: dict[str, list[Phrase]], work: Path, start: Path | None, seed: int, port: int
) -> None:
    """All phases that are not done yet, in one of the processes."""
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    dist.init_process_group("gloo", rank=rank, world_size=PROCESSES)
    vocabulary = Vocabulary()
    todo = [n for n in range(1, len(PHASES) + 1) if not (work / f"phase{n}.pt").exists()]
    dist.barrier()
    for number in todo:
        phase = PHASES[number - 1]
        torch.manual_seed(seed + number)
        model = Network(vocabulary)
        if number > 1:
            model.load_state_dict(torch.load(work / f"phase{number - 1}.pt"))
        elif start is not None:
            thaw(start, model)
        own = (seed + number) * PROCESSES + rank
        said = with_twice(speech, phase.twice)
        windows = Windows(vocabulary, said, own, mild=phase.mild, prompted=phase.prompted)
        model = train_phase(rank, model, windows, phase, seed + number)
        if rank == 0:
            torch.save(model.state_dict(), work / f"phase{number}.pt")
        dist.barrier()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--port", type=int, default=29500)
    a = parser.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    speech = spoken(a.work, PROCESSES)
    mp.start_processes(
        learn, (speech, a.work, a.start, a.seed, a.port), nprocs=PROCESSES, start_method="fork"
    )


if __name__ == "__main__":
    main()
