#!/usr/bin/env python3
"""Writes Sources/CUnicode/charsets.c: the character sets of one byte per character, from Python's codecs.

    python3 tools/charset-tables.py > Sources/CUnicode/charsets.c
"""

# In the order of MessageFormat's Charset.Table.
CODECS = (
    "cp1252 iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 cp1254 iso8859_10 iso8859_13 iso8859_14 iso8859_15"
    " iso8859_16 cp1250 cp1251 cp1253 cp1255 cp1256 cp1257 cp1258 cp874 koi8_r koi8_u mac_roman mac_cyrillic mac_greek mac_latin2"
    " mac_turkish cp437 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp865 cp866 cp869 kz1048 hp_roman8"
).split()


def scalar(codec, byte):
    try:
        return ord(bytes([byte]).decode(codec))
    except UnicodeDecodeError:
        # What a Windows code page leaves open are the controls of ISO 8859, as browsers have it.
        return byte if codec.startswith("cp12") and byte < 0xA0 else 0xFFFD


print("// Written by tools/charset-tables.py; not to be changed by hand.\n#include \"CUnicode.h\"\n\nstatic const uint16_t upper[][128] = {")
for codec in CODECS:
    values = [str(scalar(codec, byte)) for byte in range(128, 256)]
    print("    // %s\n    {%s,\n     %s}," % (codec, ", ".join(values[:64]), ", ".join(values[64:])))
print("""};

uint16_t cu_charset_scalar(uint32_t table, uint8_t byte) {
    if (byte < 128) return byte;
    return table < sizeof upper / sizeof *upper ? upper[table][byte - 128] : 0xFFFD;
}

uint32_t cu_charset_count(void) { return sizeof upper / sizeof *upper; }""")
