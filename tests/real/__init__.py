"""Tests with the weights of real Whisper models and with real recordings.

`FWTUI_REAL_MODELS` names a folder with `base` and `tiny.en` (CTranslate2 form),
`FWTUI_REAL_MEDIA` one with the recordings, `FWTUI_REAL_SPEAKERS` one with both models for speakers.
Where one of them is missing, its tests are skipped.
"""
