"""Output formats: txt, srt, vtt, tsv, json and others."""
