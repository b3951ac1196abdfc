"""Train the demo model: python -m tests.demo_model.train --work DIR [--seed 3].

Needs torch, transformers, scipy and espeak-ng; about an hour and a half on two CPU cores.
Each finished phase leaves a checkpoint in DIR, and a repeated call goes on after the last one.
"""

import argparse
import pickle
import time
from pathlib import Path

import torch
from torch.nn import functional
from transformers import WhisperConfig, WhisperForConditionalGeneration

from tests.demo_model.speech import TRAINING_VARIANTS, phrases
from tests.demo_model.vocabulary import Vocabulary
from tests.demo_model.windows import IGNORED, Windows

WIDTH, HEADS, ENCODER_LAYERS, DECODER_LAYERS, FEED_FORWARD = 80, 4, 2, 2, 240
# (window seconds, batch size, steps, peak learning rate); short windows teach the words cheaply.
PHASES = (
    (4, 32, 3000, 2e-3),
    (4, 32, 3000, 1.8e-3),
    (8, 24, 1500, 1.5e-3),
    (16, 12, 1000, 1e-3),
    (30, 8, 1600, 8e-4),
)


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


def train_phase(
    model: WhisperForConditionalGeneration,
    windows: Windows,
    seconds: int,
    size: int,
    steps: int,
    rate: float,
) -> None:
    """One phase of the curriculum; prints loss and accuracies every 50 steps."""
    v = windows.v
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.08
    )
    model.train()
    started, total = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        features, tokens, labels = windows.batch(size, seconds)
        logits = model(input_features=features, decoder_input_ids=tokens).logits
        loss = functional.cross_entropy(
            logits.reshape(-1, v.size), labels.reshape(-1), ignore_index=IGNORED
        )
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
                f"{seconds} s step {step}: loss {total / 50:.3f} words {right:.3f} "
                f"times {near:.3f} after {time.monotonic() - started:.0f} s",
                flush=True,
            )
            total = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--phrases", type=int, default=10_000)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    spoken = arguments.work / "phrases.pkl"
    if not spoken.exists():
        spoken.write_bytes(pickle.dumps(phrases(arguments.phrases, 0, TRAINING_VARIANTS)))
    speech = pickle.loads(spoken.read_bytes())
    vocabulary = Vocabulary()
    before: Path | None = None
    for number, (seconds, size, steps, rate) in enumerate(PHASES, 1):
        checkpoint = arguments.work / f"phase{number}.pt"
        if not checkpoint.exists():
            torch.manual_seed(arguments.seed + number)
            model = make_model(vocabulary, seconds)
            if before is not None:
                load_weights(model, before)
            windows = Windows(vocabulary, speech, arguments.seed + number)
            train_phase(model, windows, seconds, size, steps, rate)
            torch.save(model.state_dict(), checkpoint)
        before = checkpoint


if __name__ == "__main__":
    main()
