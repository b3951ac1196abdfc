"""Train the demo model: python -m tests.demo_model.train --work DIR [--start MODEL] [--seed 100].

Needs torch, scipy and espeak-ng. Each finished phase leaves a checkpoint in DIR, and a repeated
call goes on after the last one. `--start` is the folder of a converted model to begin with.
"""

import argparse
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn import functional

from tests.demo_model.network import Heard, Network
from tests.demo_model.speech import Phrase, phrases
from tests.demo_model.thaw import thaw
from tests.demo_model.vocabulary import WORDS, Vocabulary
from tests.demo_model.windows import IGNORED, Batch, Windows


class Phase(NamedTuple):
    """One step of the curriculum: `steps` batches of `size` windows of `seconds`.

    Short windows, anywhere within the 30 s that the model knows, teach words and positions
    cheaply; full ones then teach to keep track of a long window. `mild`: with less noise;
    `prompted`: share of the windows that have a previous text.
    """

    seconds: float
    size: int
    steps: int
    rate: float
    mild: bool = False
    prompted: float = 0.55


PHASES = (
    Phase(10, 20, 800, 1.2e-3, prompted=0.15),
    Phase(30, 8, 1150, 1e-3, mild=True),
)
PHRASES = 30_000
# A timestamp may be a little off: how much of its weight the neighbours get, 20 ms each.
NEIGHBOURS = ((-2, 0.05), (-1, 0.2), (0, 0.5), (1, 0.2), (2, 0.05))
# Heads of the last layer that are taught to look where the words are.
LOOKING = (0, 1)
FRAMES_WEIGHT, LOOKING_WEIGHT = 0.05, 0.2


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
    """How much attention misses the frames at which the label is heard."""
    frames = torch.arange(shares.shape[-1])
    inside = (frames >= spans[..., :1]) & (frames < spans[..., 1:])
    known = inside.any(-1)
    seen = (shares[:, LOOKING, :, :] * inside[:, None]).sum(-1)
    return -(seen + 1e-4).log().mean(1)[known].mean()


def loss_of(heard: Heard, batch: Batch, vocabulary: Vocabulary) -> torch.Tensor:
    """What the model gets wrong, and what helps it on the way: frames and attention."""
    frames = functional.cross_entropy(heard.frames.flatten(0, 1), batch.words.flatten())
    tokens = token_loss(heard.tokens, batch.labels[batch.labels != IGNORED], vocabulary)
    looking = looking_loss(heard.shares, batch.spans)
    return tokens + FRAMES_WEIGHT * frames + LOOKING_WEIGHT * looking


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


def train_phase(model: Network, windows: Windows, phase: Phase) -> None:
    """One phase; prints what it reaches every 50 steps."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=phase.rate, weight_decay=0.01, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, phase.rate, total_steps=phase.steps, pct_start=0.08
    )
    model.train()
    started, total = time.monotonic(), 0.0
    for step, batch in enumerate(ahead(windows, phase), 1):
        heard = model(batch.features, batch.begin, batch.tokens, batch.labels != IGNORED)
        loss = loss_of(heard, batch, windows.v)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % 50 == 0:
            print(
                f"{phase.seconds:g} s step {step}: loss {total / 50:.3f} "
                f"{accuracies(heard, batch, windows.v)} after {time.monotonic() - started:.0f} s",
                flush=True,
            )
            total = 0.0


def ahead(windows: Windows, phase: Phase) -> Iterator[Batch]:
    """The batches of a phase, each made while the one before is learnt from."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(windows.batch, phase.size, phase.seconds)
        for _ in range(phase.steps):
            batch = coming.result()
            coming = thread.submit(windows.batch, phase.size, phase.seconds)
            yield batch


def spoken(folder: Path, workers: int) -> dict[str, list[Phrase]]:
    """The phrases to train on, synthesised once."""
    path = folder / "phrases.pkl"
    if not path.exists():
        made = list(phrases(PHRASES, 0, workers))
        by_language = {language: [p for p in made if p.language == language] for language in WORDS}
        path.write_bytes(pickle.dumps(by_language))
    found: dict[str, list[Phrase]] = pickle.loads(path.read_bytes())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    vocabulary = Vocabulary()
    speech = spoken(arguments.work, arguments.threads)
    before: Path | None = None
    for number, phase in enumerate(PHASES, 1):
        checkpoint = arguments.work / f"phase{number}.pt"
        if not checkpoint.exists():
            seed = arguments.seed + number
            torch.manual_seed(seed)
            model = Network(vocabulary)
            if before is not None:
                model.load_state_dict(torch.load(before))
            elif arguments.start is not None:
                thaw(arguments.start, model)
            train_phase(
                model,
                Windows(vocabulary, speech, seed, mild=phase.mild, prompted=phase.prompted),
                phase,
            )
            torch.save(model.state_dict(), checkpoint)
        before = checkpoint


if __name__ == "__main__":
    main()
