"""Checkpoint to CTranslate2 int8: python -m tests.demo_model.convert CHECKPOINT FOLDER."""

import argparse
import json
from pathlib import Path

from ctranslate2.converters.transformers import WhisperLoader
from ctranslate2.specs import whisper_spec

from tests.demo_model.train import DECODER_LAYERS, ENCODER_LAYERS, HEADS, load_weights, make_model
from tests.demo_model.vocabulary import Vocabulary

# (layer, head) of the decoder whose cross-attention follows the words best; found by evaluate.py.
ALIGNMENT_HEADS = [[1, 0], [1, 2], [1, 3]]


def convert(checkpoint: Path, folder: Path, heads: list[list[int]]) -> None:
    """Write model.bin, config.json, vocabulary.json, tokenizer.json, preprocessor_config.json."""
    vocabulary = Vocabulary()
    model = make_model(vocabulary, 30)
    load_weights(model, checkpoint)
    model.eval()
    loader = WhisperLoader()
    spec = whisper_spec.WhisperSpec(ENCODER_LAYERS, HEADS, DECODER_LAYERS, HEADS)
    loader.set_encoder(spec.encoder, model.model.encoder)
    loader.set_decoder(spec.decoder, model.model.decoder)
    loader.set_linear(spec.decoder.projection, model.proj_out)
    by_id = {number: token for token, number in vocabulary.tokenizer.get_vocab().items()}
    spec.register_vocabulary([by_id[number] for number in range(vocabulary.size)])
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [vocabulary.eot]
    spec.config.lang_ids = [vocabulary.en, vocabulary.de]
    spec.config.alignment_heads = heads
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    vocabulary.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    features = {
        "feature_size": 80,
        "sampling_rate": 16000,
        "hop_length": 160,
        "n_fft": 400,
        "chunk_length": 10,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(features))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    convert(arguments.checkpoint, arguments.folder, ALIGNMENT_HEADS)


if __name__ == "__main__":
    main()
