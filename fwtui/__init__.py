"""fwtui: transcribe many audio and video files with faster-whisper, and lose nothing."""

__version__ = "0.1.0"
