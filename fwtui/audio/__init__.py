"""Any media file to bounded 16 kHz windows: probe, decode, speech, features."""
