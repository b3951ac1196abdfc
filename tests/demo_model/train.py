"""Train the demo model: python -m tests.demo_model.train --work DIR [--seed 3].

Needs torch, transformers, scipy and espeak-ng; about an hour and a half on two CPU cores.
Each finished phase leaves a checkpoint in DIR, and a repeated call goes on after the last one.
"""

import argparse
import pickle
import time
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn import functional
from transformers import WhisperConfig, WhisperForConditionalGeneration

from tests.demo_model.speech import MORE_VARIANTS, TRAINING_VARIANTS, Phrase, phrases
from tests.demo_model.vocabulary import Vocabulary
from tests.demo_model.windows import IGNORED, Windows

WIDTH, HEADS, ENCODER_LAYERS, DECODER_LAYERS, FEED_FORWARD = 80, 4, 2, 2, 240


class Phase(NamedTuple):
    """One step of the curriculum. Short windows teach the words cheaply.

    `varied`: more phrases, of more voices, in changing tone colours, with timestamps that may be
    a little off. `padded`: in the model's full 30 s, as faster-whisper pads its windows, and with
    less noise.
    """

    seconds: int
    size: int
    steps: int
    rate: float
    varied: bool = True
    padded: bool = False


PHASES = (
    Phase(4, 32, 3000, 2e-3, varied=False),
    Phase(4, 32, 3000, 1.8e-3, varied=False),
    Phase(8, 24, 1500, 1.5e-3, varied=False),
    Phase(10, 18, 4000, 1.8e-3),
    Phase(10, 10, 1400, 8e-4, padded=True),
    Phase(10, 10, 1150, 7e-4, padded=True),
)
# A timestamp may be a little off: how much of its weight the neighbours get, 20 ms each.
NEIGHBOURS = ((-2, 0.1), (-1, 0.2), (0, 0.4), (1, 0.2), (2, 0.1))


def make_model(vocabulary: Vocabulary, seconds: float) -> WhisperForConditionalGeneration:
    """A Whisper of 0.55 M parameters for windows of `seconds`."""
    return WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=vocabulary.size,
            num_mel_bins=80,
            encoder_layers=ENCODER_LAYERS,
            encoder_attention_heads=HEADS,
            decoder_layers=DECODER_LAYERS,
            decoder_attention_heads=HEADS,
            encoder_ffn_dim=FEED_FORWARD,
            decoder_ffn_dim=FEED_FORWARD,
            d_model=WIDTH,
            max_source_positions=int(seconds * 50),
            max_target_positions=448,
            pad_token_id=vocabulary.eot,
            bos_token_id=vocabulary.sot,
            eos_token_id=vocabulary.eot,
            decoder_start_token_id=vocabulary.sot,
            dropout=0.0,
            activation_function="gelu",
            use_cache=False,
            suppress_tokens=None,
            begin_suppress_tokens=None,
        )
    )


def load_weights(model: WhisperForConditionalGeneration, checkpoint: Path) -> None:
    """Weights of any window length: the encoder's positions are sinusoids, not weights."""
    weights = torch.load(checkpoint)
    model.load_state_dict(
        {name: value for name, value in weights.items() if "encoder.embed_positions" not in name},
        strict=False,
    )


def loss_of(
    logits: torch.Tensor, labels: torch.Tensor, vocabulary: Vocabulary, *, smooth: bool
) -> torch.Tensor:
    """Mean cross-entropy; `smooth` shares a timestamp's weight among its neighbours."""
    chances = functional.log_softmax(logits, dim=-1)
    first, last = vocabulary.timestamp_begin, vocabulary.size - 1
    shares = NEIGHBOURS if smooth else ((0, 1.0),)
    known = labels != IGNORED
    timed = labels >= first
    total = logits.new_zeros(())
    for step, share in shares:
        near = torch.where(timed, (labels + step).clamp(first, last), labels.clamp(min=0))
        total -= share * chances.gather(-1, near[..., None])[..., 0][known].sum()
    return total / known.sum()


def train_phase(model: WhisperForConditionalGeneration, windows: Windows, phase: Phase) -> None:
    """One phase of the curriculum; prints loss and accuracies every 50 steps."""
    v = windows.v
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=phase.rate, weight_decay=0.01, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, phase.rate, total_steps=phase.steps, pct_start=0.08
    )
    model.train()
    started, total = time.monotonic(), 0.0
    for step in range(1, phase.steps + 1):
        features, tokens, labels = windows.batch(phase.size, phase.seconds)
        if phase.padded:
            features = functional.pad(features, (0, 3000 - features.shape[-1]))
        logits = model(input_features=features, decoder_input_ids=tokens).logits
        loss = loss_of(logits, labels, v, smooth=phase.varied)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % 50 == 0:
            guess = logits.argmax(-1)
            text = (labels >= 0) & (labels < v.eot)
            times = labels >= v.timestamp_begin
            right = (guess == labels)[text].float().mean()
            near = ((guess - labels).abs() <= 5)[times].float().mean()
            print(
                f"{phase.seconds} s step {step}: loss {total / 50:.3f} words {right:.3f} "
                f"times {near:.3f} after {time.monotonic() - started:.0f} s",
                flush=True,
            )
            total = 0.0


def spoken(folder: Path, *, varied: bool) -> dict[str, list[Phrase]]:
    """The phrases to train on, synthesised once."""
    path = folder / ("phrases-varied.pkl" if varied else "phrases.pkl")
    if not path.exists():
        made = (
            phrases(40_000, 1, MORE_VARIANTS) if varied else phrases(10_000, 0, TRAINING_VARIANTS)
        )
        path.write_bytes(pickle.dumps(made))
    found: dict[str, list[Phrase]] = pickle.loads(path.read_bytes())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary()
    before: Path | None = None
    for number, phase in enumerate(PHASES, 1):
        checkpoint = arguments.work / f"phase{number}.pt"
        if not checkpoint.exists():
            seed = arguments.seed + number
            torch.manual_seed(seed)
            model = make_model(vocabulary, 30 if phase.padded else phase.seconds)
            if before is not None:
                load_weights(model, before)
            speech = spoken(arguments.work, varied=phase.varied)
            windows = Windows(vocabulary, speech, seed, coloured=phase.varied, mild=phase.padded)
            train_phase(model, windows, phase)
            torch.save(model.state_dict(), checkpoint)
        before = checkpoint


if __name__ == "__main__":
    main()
