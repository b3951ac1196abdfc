"""The tool that made `fwtui/demo/model`: speech, training, conversion, clips, evaluation."""
