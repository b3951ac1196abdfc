"""Which files are taken for recordings by their names."""

# What folders and patterns are searched for; a file that is named itself is always taken.
MEDIA_SUFFIXES = frozenset(
    ".3gp .aac .ac3 .aif .aiff .amr .ape .asf .avi .caf .dts .flac .flv .m2ts .m4a .m4b .m4v .mka "
    ".mkv .mov .mp2 .mp3 .mp4 .mpeg .mpg .mts .mxf .oga .ogg .ogv .opus .ra .rm .spx .tta .ts .vob "
    ".voc .wav .weba .webm .wma .wmv .wv".split()
)
