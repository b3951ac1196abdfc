"""Checkpoint to CTranslate2 int8: python -m tests.demo_model.convert CHECKPOINT FOLDER."""

import argparse
import json
from pathlib import Path

import torch
from ctranslate2.converters.transformers import WhisperLoader
from ctranslate2.specs import whisper_spec

from tests.demo_model.network import DECODER_LAYERS, ENCODER_LAYERS, HEADS, Network
from tests.demo_model.train import LOOKING
from tests.demo_model.vocabulary import Vocabulary

FEATURES = {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "n_fft": 400}


def convert(checkpoint: Path, folder: Path, quantization: str) -> None:
    """Write model.bin, config.json, vocabulary.json, tokenizer.json, preprocessor_config.json."""
    vocabulary = Vocabulary()
    model = Network(vocabulary)
    model.load_state_dict(torch.load(checkpoint))
    model.eval()
    decoder = model.decoder
    with torch.no_grad():
        decoder.embed_tokens.weight.copy_(model.embeddings())
    loader = WhisperLoader()
    spec = whisper_spec.WhisperSpec(ENCODER_LAYERS, HEADS, DECODER_LAYERS, HEADS)
    loader.set_encoder(spec.encoder, model.encoder)
    loader.set_decoder(spec.decoder, decoder)
    spec.decoder.projection.weight = decoder.embed_tokens.weight
    by_id = {number: token for token, number in vocabulary.tokenizer.get_vocab().items()}
    spec.register_vocabulary([by_id[number] for number in range(vocabulary.size)])
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [vocabulary.eot]
    spec.config.lang_ids = [vocabulary.en, vocabulary.de]
    spec.config.alignment_heads = [[DECODER_LAYERS - 1, head] for head in LOOKING]
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    vocabulary.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "preprocessor_config.json").write_text(json.dumps(FEATURES) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quantization", default="int8")
    arguments = parser.parse_args()
    convert(arguments.checkpoint, arguments.folder, arguments.quantization)


if __name__ == "__main__":
    main()
