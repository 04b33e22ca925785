# Turns the text file IN into the C source OUT that defines `const char NAME[]` (with a NUL at its end)
# and `const unsigned NAME_size` (without it).
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUT} "extern const char ${NAME}[];\nextern const unsigned ${NAME}_size;\n"
	"const char ${NAME}[] = {\n${bytes}0};\nconst unsigned ${NAME}_size = sizeof ${NAME} - 1;\n")
