"""A transcript to txt, srt, vtt, tsv and json."""
