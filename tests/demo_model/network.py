"""Whisper's network in torch, for windows at any place within the 30 s that the model knows.

Module names are those of transformers' Whisper, so that CTranslate2's converter understands them.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from tests.demo_model.vocabulary import WORDS, Vocabulary

WIDTH, HEADS, ENCODER_LAYERS, DECODER_LAYERS, FEED_FORWARD = 80, 4, 3, 2, 240
FRAMES = 1500  # of the encoder, 20 ms each
LONGEST = 448  # tokens


def sinusoids(length: int) -> torch.Tensor:
    """(length, WIDTH): Whisper's encoder positions."""
    half = WIDTH // 2
    steps = torch.exp(-torch.log(torch.tensor(10000.0)) / (half - 1) * torch.arange(half))
    angles = torch.arange(length)[:, None] * steps[None]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Attention(nn.Module):
    """Multi-head attention; returns the attention's shares too when `tell` is set."""

    def __init__(self, *, tell: bool = False) -> None:
        super().__init__()
        self.q_proj = nn.Linear(WIDTH, WIDTH)
        self.k_proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.v_proj = nn.Linear(WIDTH, WIDTH)
        self.out_proj = nn.Linear(WIDTH, WIDTH)
        self.tell = tell
        self.shares: torch.Tensor | None = None

    def forward(self, x: torch.Tensor, source: torch.Tensor, *, causal: bool) -> torch.Tensor:
        q, k, v = (
            part.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for part in (self.q_proj(x), self.k_proj(source), self.v_proj(source))
        )
        if self.tell:
            self.shares = torch.softmax(q @ k.mT * q.shape[-1] ** -0.5, dim=-1)
            mixed = self.shares @ v
        else:
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.out_proj(mixed.transpose(1, 2).flatten(-2))


# How far to the side (frames) the heads of an encoder layer look before they have learnt anything,
# and how much more they look there than elsewhere (in logits).
OFFSETS = ((-3, -1, 1, 3), (-6, -2, 2, 6), (-14, -5, 5, 14))
SHARPNESS = 9.0


def look_aside(attention: Attention, offsets: tuple[int, ...]) -> None:
    """Let each head attend to the frame at one offset, as a convolution does.

    A position is a vector of sines and cosines, so a step in time is a rotation: a query is the
    position rotated by the offset. Without this, training takes thousands of steps to find out
    that speech is local.
    """
    half, size = WIDTH // 2, WIDTH // HEADS
    steps = torch.exp(-torch.log(torch.tensor(10000.0)) / (half - 1) * torch.arange(half))
    chosen = torch.arange(size // 2) * 2  # frequencies from 1 to 0.015 radians a frame
    scale = (SHARPNESS * size**0.5 / len(chosen)) ** 0.5
    with torch.no_grad():
        for projection in (attention.q_proj, attention.k_proj):
            projection.weight.mul_(0.1)
        for head, offset in enumerate(offsets):
            for place, frequency in enumerate(chosen):
                sine, cosine = head * size + 2 * place, head * size + 2 * place + 1
                turn = steps[frequency] * offset
                query, key = attention.q_proj.weight, attention.k_proj.weight
                query[sine, frequency] += scale * turn.cos()
                query[sine, half + frequency] += scale * turn.sin()
                query[cosine, half + frequency] += scale * turn.cos()
                query[cosine, frequency] -= scale * turn.sin()
                key[sine, frequency] += scale
                key[cosine, half + frequency] += scale


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, normalised before each."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = Attention()
        self.self_attn_layer_norm = nn.LayerNorm(WIDTH)
        self.fc1 = nn.Linear(WIDTH, FEED_FORWARD)
        self.fc2 = nn.Linear(FEED_FORWARD, WIDTH)
        self.final_layer_norm = nn.LayerNorm(WIDTH)

    def _feed(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.self_attn_layer_norm(x)
        return self._feed(x + self.self_attn(y, y, causal=False))


class DecoderLayer(EncoderLayer):
    """The same with attention to the encoder between the two."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder_attn = Attention(tell=True)
        self.encoder_attn_layer_norm = nn.LayerNorm(WIDTH)

    def decode(self, x: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
        """(batch, tokens, WIDTH) with what is `heard` (batch, frames, WIDTH)."""
        y = self.self_attn_layer_norm(x)
        x = x + self.self_attn(y, y, causal=True)
        x = x + self.encoder_attn(self.encoder_attn_layer_norm(x), heard, causal=False)
        return self._feed(x)


class Encoder(nn.Module):
    """Log-mel to frames of 20 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(80, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(FRAMES, WIDTH)
        self.embed_positions.weight = nn.Parameter(sinusoids(FRAMES), requires_grad=False)
        self.layers = nn.ModuleList(EncoderLayer() for _ in range(ENCODER_LAYERS))
        self.layer_norm = nn.LayerNorm(WIDTH)
        self.embed_scale = 1.0

    def forward(self, features: torch.Tensor, begin: torch.Tensor) -> torch.Tensor:
        """(batch, 80, 2 x frames), placed `begin` frames after the start of the 30 s."""
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(features)))).mT
        x = x + self.embed_positions(begin[:, None] + torch.arange(x.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return self.layer_norm(x)


class Decoder(nn.Module):
    """Tokens and frames to hidden states."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(size, WIDTH)
        self.embed_positions = nn.Embedding(LONGEST, WIDTH)
        self.layers = nn.ModuleList(DecoderLayer() for _ in range(DECODER_LAYERS))
        self.layer_norm = nn.LayerNorm(WIDTH)
        self.embed_scale = 1.0


@dataclass(frozen=True)
class Heard:
    """What the network makes of a batch.

    `tokens` are logits (labels, vocabulary) where a label is known; `frames` logits of the word at
    each frame (batch, frames, 1 + words); `shares` each decoder layer's attention to the frames
    (batch, heads, tokens, frames).
    """

    tokens: torch.Tensor
    frames: torch.Tensor
    shares: tuple[torch.Tensor, ...]


class Network(nn.Module):
    """Whisper, with two things that only training uses.

    A linear layer names the word at each frame, and the timestamps' embeddings are a linear
    function of the encoder's positions: so what is learnt in short windows holds in all 30 s.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.first_timestamp = vocabulary.timestamp_begin
        self.encoder = Encoder()
        self.decoder = Decoder(vocabulary.size)
        for layer, offsets in zip(self.encoder.layers, OFFSETS, strict=True):
            look_aside(layer.self_attn, offsets)
        self.positions = nn.Linear(WIDTH, WIDTH)
        self.words = nn.Linear(WIDTH, 1 + sum(map(len, WORDS.values())))
        nn.init.normal_(self.decoder.embed_tokens.weight, std=0.1)
        nn.init.normal_(self.decoder.embed_positions.weight, std=0.02)
        nn.init.eye_(self.positions.weight)
        self.positions.weight.data *= 0.2

    def embeddings(self) -> torch.Tensor:
        """(vocabulary, WIDTH), with the timestamps' from their positions."""
        learnt = self.decoder.embed_tokens.weight[: self.first_timestamp]
        return torch.cat([learnt, self.positions(sinusoids(FRAMES + 1))])

    def forward(
        self,
        features: torch.Tensor,
        begin: torch.Tensor,
        tokens: torch.Tensor,
        wanted: torch.Tensor,
    ) -> Heard:
        """`wanted` (batch, tokens) says for which tokens the next one is asked."""
        heard = self.encoder(features, begin)
        embeddings = self.embeddings()
        x = functional.embedding(tokens, embeddings)
        x = x + self.decoder.embed_positions.weight[: tokens.shape[1]]
        for layer in self.decoder.layers:
            assert isinstance(layer, DecoderLayer)
            x = layer.decode(x, heard)
        shares = tuple(layer.encoder_attn.shares for layer in self.decoder.layers)
        x = self.decoder.layer_norm(x[wanted])
        return Heard(x @ embeddings.T, self.words(heard), shares)
