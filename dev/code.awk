# C sources with comments removed and the contents of literals blanked: 'FILE:LINE:CODE' per line,
# so that the checks see code and nothing else. An #include keeps its name.
BEGIN {
	comment = "/[*/]"
	literal = "\"(\\\\.|[^\"\\\\])*\"|'(\\\\.|[^'\\\\])*'"
}
FNR == 1 { inside = 0 }
{
	line = $0
	out = ""
	include = line ~ /^[ \t]*#[ \t]*include/
	while (line != "") {
		if (inside) {
			end = index(line, "*/")
			if (end == 0)
				break
			line = substr(line, end + 2)
			inside = 0
			out = out " "
		} else if (match(line, include ? comment : comment "|" literal) == 0) {
			out = out line
			break
		} else {
			token = substr(line, RSTART, 2)
			out = out substr(line, 1, RSTART - 1)
			line = substr(line, RSTART)
			if (token == "/*") {
				inside = 1
				line = substr(line, 3)
			} else if (token == "//") {
				break
			} else {
				out = out substr(line, 1, 1) substr(line, 1, 1)
				line = substr(line, RLENGTH + 1)
			}
		}
	}
	if (out !~ /^[ \t]*$/)
		print FILENAME ":" FNR ":" out
}
