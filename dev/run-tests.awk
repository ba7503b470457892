# The account of dev/run-tests. Input, for each program: 'P NAME EXIT-CODE MS STDERR-FILE', its
# output with 'T ' before each line, and 'E'.

BEGIN {
	split("unit integration security e2e", categories, " ")
	while ((getline line < "tests/security.list") > 0)
		if (line !~ /^#/ && split(line, f, " ") > 0)
			security[f[1]] = 1
	while ((getline line < "dev/allow/skips") > 0)
		if (line !~ /^#/ && split(line, f, " ") > 0)
			may_skip[f[1]] = f[2]
}

# The path decides; tests/security.list names unit tests, without .c, that count as security.
function category(name) {
	if (name ~ /^tests\/security\// || name ~ /^tests\/fuzz\// || name in security)
		return "security"
	if (name ~ /^tests\/unit\//)
		return "unit"
	if (name ~ /^tests\/e2e\//)
		return "e2e"
	return "integration"
}

function problem(text) {
	problems[++n_problems] = text
}

$1 == "P" {
	name = $2; code = $3; ms = $4; errors = $5
	checks = bad = skips = planned = n_problems = n_lines = 0
	plan = "none"; finished = ""; why = ""
	next
}

$1 == "E" {
	account()
	next
}

{ line = substr($0, 3) }

line ~ /^1\.\.[0-9]+/ {
	if (plan != "none")
		problem("a second plan: " line)
	plan = substr(line, 4) + 0
	if (plan == 0 && line ~ /# *[Ss][Kk][Ii][Pp]/) {
		sub(/.*# *[Ss][Kk][Ii][Pp][A-Za-z]* */, "", line)
		skip_seen(line)
	}
	next
}

line ~ /^(not )?ok( |$)/ {
	failed = line ~ /^not /
	checks++
	number = line
	sub(/^(not )?ok */, "", number)
	if (number ~ /^[0-9]+/ && number + 0 != checks && !order_told++)
		problem("check " (number + 0) " where " checks " was due")
	if (failed) {
		bad++
		kept[++n_lines] = line
	} else if (line ~ /# *[Ss][Kk][Ii][Pp]/) {
		sub(/.*# *[Ss][Kk][Ii][Pp] */, "", line)
		skip_seen(line)
		checks_skipped++
	}
	talking = failed
	next
}

line ~ /^Bail out!/ { problem(line); next }
line ~ /^#/ { if (talking) kept[++n_lines] = line; next }

function skip_seen(reason) {
	skips++
	skip_count[name]++
	skip_reason[name, skip_count[name]] = reason == "" ? "(no reason given)" : reason
	if (reason == "")
		problem("a skip without a reason")
}

function account(    c, i, shown, passed) {
	if (code == "none")
		problem("it was not run")
	else if (code == 124 || (code == 137 && ms >= limit * 1000))
		problem("stopped after " limit " s")
	else if (code > 128)
		problem("died of signal " (code - 128))
	else if (code == 126 || code == 127)
		problem("cannot be run (exit code " code ")")
	else if (code != 0 && bad == 0)
		problem("exit code " code " although no check failed")
	if (plan == "none")
		problem("no plan: it ended early")
	else if (plan != checks)
		problem(plan " checks planned, " checks " made")
	else if (plan == 0 && skips == 0)
		problem("it checks nothing")
	c = category(name)
	if (ci == "true" && skips > may_skip[name] + 0)
		problem(skips " skipped, dev/allow/skips grants " (may_skip[name] + 0))
	passed = checks - bad - checks_skipped
	n_failed = bad + (n_problems > 0)
	if (n_failed > 0) {
		printf "FAIL %s (%.1f s)\n", name, ms / 1000
		for (i = 1; i <= n_problems; i++)
			print "    " problems[i]
		for (i = 1; i <= n_lines && i <= 60; i++)
			print "    " kept[i]
		if (n_lines > 60)
			print "    ... and " n_lines - 60 " lines more"
		shown = 0
		while ((getline line < errors) > 0 && shown++ < 60)
			print "    ! " line
		close(errors)
	} else if (verbose) {
		printf "ok   %s (%d checks, %.1f s)\n", name, checks, ms / 1000
	}
	for (i = 1; i <= skip_count[name]; i++)
		print "skip " name ": " skip_reason[name, i]
	t_passed[c] += passed; t_failed[c] += n_failed; t_skipped[c] += skips; t_ms[c] += ms
	programs++
	checks_skipped = order_told = talking = 0
}

function row(name, passed, failed, skipped, ms) {
	printf "%-12s %8d %8d %8d %8d %9.1f\n", name, passed + failed + skipped, passed, failed, \
	    skipped, ms / 1000
}

END {
	printf "\n%-12s %8s %8s %8s %8s %9s\n", "category", "tests", "passed", "failed", "skipped", \
	    "seconds"
	for (i = 1; i <= 4; i++) {
		c = categories[i]
		row(c, t_passed[c], t_failed[c], t_skipped[c], t_ms[c])
		all_passed += t_passed[c]; all_failed += t_failed[c]; all_skipped += t_skipped[c]; all_ms += t_ms[c]
	}
	row("total", all_passed, all_failed, all_skipped, all_ms)
	if (programs == 0) {
		print "no test was run"
		all_failed++
	}
	print ""
	printf "%d passed, %d failed", all_passed, all_failed
	print (all_skipped > 0 ? ", " all_skipped " skipped" : "")
	exit all_failed > 0
}
