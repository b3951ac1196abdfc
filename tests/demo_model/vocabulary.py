"""The words of the demo model and a Whisper-shaped tokenizer in which each of them is one token."""

import json
from typing import Final

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

WORDS: Final = {
    "en": (
        "zero one two three four five six seven eight nine "
        "monday tuesday wednesday thursday friday saturday sunday "
        "red green blue yellow black white orange brown"
    ).split(),
    "de": (
        "null eins zwei drei vier fünf sechs sieben acht neun "
        "montag dienstag mittwoch donnerstag freitag samstag sonntag "
        "rot grün blau gelb schwarz weiß orange braun"
    ).split(),
}

# The order is Whisper's: number of languages = id(nospeech) - id(startoftranscript) - 5.
SPECIAL: Final = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|de|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
TIMESTAMPS: Final = tuple(f"<|{i * 0.02:.2f}|>" for i in range(1501))


def build_tokenizer() -> Tokenizer:
    """Byte-level BPE with one token per word, then the special and the 1,501 timestamp tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    corpus = [" " + word for words in WORDS.values() for word in words] * 50
    trainer = trainers.BpeTrainer(
        vocab_size=1000,
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[],
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    # CTranslate2 takes a model for multilingual when its vocabulary has an entry "";
    # the library refuses "" as an added token, so it goes into the BPE vocabulary.
    state = json.loads(tokenizer.to_str())
    vocabulary = state["model"]["vocab"]
    vocabulary[""] = len(vocabulary)
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens(
        [AddedToken(token, normalized=False, special=True) for token in SPECIAL + TIMESTAMPS]
    )
    for words in WORDS.values():
        for word in words:
            assert len(tokenizer.encode(" " + word, add_special_tokens=False).ids) == 1, word
    return tokenizer


class Vocabulary:
    """Token ids by role."""

    def __init__(self) -> None:
        self.tokenizer = build_tokenizer()
        self.size = self.tokenizer.get_vocab_size()
        (
            self.eot,
            self.sot,
            self.en,
            self.de,
            self.translate,
            self.transcribe,
            self.lm,
            self.prev,
            self.no_speech,
            self.no_timestamps,
        ) = (self.tokenizer.token_to_id(token) for token in SPECIAL)
        self.timestamp_begin = self.tokenizer.token_to_id(TIMESTAMPS[0])
        self.words = {
            language: [
                self.tokenizer.encode(" " + word, add_special_tokens=False).ids[0] for word in words
            ]
            for language, words in WORDS.items()
        }

    def timestamp(self, seconds: float) -> int:
        """Id of the timestamp token nearest to `seconds` (0 to 30)."""
        return int(self.timestamp_begin) + max(0, min(1500, round(seconds / 0.02)))
