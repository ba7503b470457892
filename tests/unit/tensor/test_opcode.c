#include "../../tap.h"
#include <tensorguard/limits.h>

#include "make.h"
#include "tensor/opcode.h"

static struct tg_opcodes
walk(const void *p, size_t n)
{
	struct tg_opcodes w = { 0 };
	SOURCE(src, p, n);

	if (tg_opcodes_walk(&src, &w, NULL) != TG_OK)
		abort();
	return w;
}

#define ROW(bytes, is)               \
	{                            \
		bytes, sizeof(bytes) - 1, is \
	}

/* What Python 3.11's pickle.dumps() makes of an object that calls os.system("true"), of plain
 * data, of an OrderedDict and of PyTorch's magic number. */
static void
pickles_of_python(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		int protocol;
	} rows[] = {
		ROW("cposix\nsystem\np0\n(Vtrue\np1\ntp2\nRp3\n.", -1),
		ROW("cposix\nsystem\nq\0(X\4\0\0\0trueq\1tq\2Rq\3.", -1),
		ROW("\x80\2cposix\nsystem\nq\0X\4\0\0\0trueq\1\x85q\2Rq\3.", 2),
		ROW("\x80\3cposix\nsystem\nq\0X\4\0\0\0trueq\1\x85q\2Rq\3.", 3),
		ROW("\x80\4\x95\x1f\0\0\0\0\0\0\0\x8c\5posix\x94\x8c\6system\x94\x93\x94\x8c\4true"
		    "\x94\x85\x94R\x94.",
		    4),
		ROW("\x80\5\x95\x1f\0\0\0\0\0\0\0\x8c\5posix\x94\x8c\6system\x94\x93\x94\x8c\4true"
		    "\x94\x85\x94R\x94.",
		    5),
		ROW("\x80\4\x95\x1f\0\0\0\0\0\0\0}\x94\x8c\1a\x94]\x94(K\1G@"
		    "\4\0\0\0\0\0\0K\3C\1x\x94"
		    "\x86\x94"
		    "es.",
		    4),
		ROW("\x80\2ccollections\nOrderedDict\nq\0)Rq\1X\1\0\0\0aq\2K\1s.", 2),
		ROW("\x80\2\x8a\nl\xfc\x9c"
		    "F\xf9 j\xa8P\x19.",
		    2),
	};
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_opcodes w = walk(rows[i].bytes, rows[i].n);

		if (!tg_opcodes_are_pickle(&w) || !w.stopped || w.end != rows[i].n ||
		    w.protocol != rows[i].protocol) {
			printf("# row %zu: end %d\n", i, (int)w.end);
			wrong++;
		}
	}
	OK_NONE(wrong, sizeof(rows) / sizeof(rows[0]), "pickles");
}

static void
verdicts(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool is;
	} rows[] = {
		ROW("", false),
		ROW(".", false),
		ROW("\x80", false),
		ROW("\x80\2", false),
		ROW("\x80\2.", false), /* nothing to return */
		ROW("\x80\2N.", true),
		ROW("\x80\0N.", true), /* Python takes any protocol up to its own */
		ROW("\x80\6N.", false),
		ROW("\x80\2N.trailing", true),
		ROW("\x80\2N", false),
		ROW("\x80\2N\xff.", false),
		ROW("N.", false),          /* data, without a mark and without an import */
		ROW("I42\n.", false),
		ROW("cos\nsystem\n.", false), /* a name, not called */
		ROW("cos\nsystem\n(S'x'\ntR", true), /* never stops: has run all the same */
		ROW("cos\nsystem\n(S'x'\ntR\xff", true),
		ROW("cos\nsystem\n(S'x'\nt\xffR.", false),
		ROW("(S'x'\nios\nsystem\n", true),
		ROW("Nios\nsystem\n", false), /* INST without a mark */
		ROW("(cos\nsystem\nNo", true),
		ROW("cos\nsystem\n)\x81", true),
		ROW("cos\nsystem\n)}\x92", true),
		ROW("cos\nsystem\nNb", true),
		ROW("cos\nsystem\nR", false), /* REDUCE without arguments */
		ROW("\x8c\2os\x8c\6system\x93)R", true),
		ROW("NN\x93)R", false), /* an import by two things that are no strings */
		ROW("cos system\nx\n)R", false),
		ROW("cos\n\n)R", false),
		ROW("c\nx\n)R", false),
		ROW("cos\nsystem", false),
		/* text that starts like opcodes */
		ROW("cat\ndog\nRabbit\n", false),
		ROW("cat\ndog\nnewt\n", false),
		ROW("In the beginning\n.", false),
		ROW("For example\n.", false),
		ROW("Some text\n.", false),
		ROW("(in brackets)\nmore\n.", false),
		ROW("Title\n.", false),
		ROW("{\"a\": 1}", false),
		ROW("Version 1\nVersion 2\n.", false),
	};
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_opcodes w = walk(rows[i].bytes, rows[i].n);

		if (tg_opcodes_are_pickle(&w) != rows[i].is) {
			printf("# row %zu\n", i);
			wrong++;
		}
	}
	OK_NONE(wrong, sizeof(rows) / sizeof(rows[0]), "verdicts");
}

/* Each opcode with an argument is stepped over as Python's pickletools does. */
static void
argument_lengths(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		size_t end;
	} rows[] = {
		ROW("J1234.", 6),
		ROW("K1.", 3),
		ROW("M12.", 4),
		ROW("G12345678.", 10),
		ROW("T\3\0\0\0abc.", 9),
		ROW("U\3abc.", 6),
		ROW("X\3\0\0\0abc.", 9),
		ROW("B\3\0\0\0abc.", 9),
		ROW("C\3abc.", 6),
		ROW("\x8a\3abc.", 6),
		ROW("\x8b\3\0\0\0abc.", 9),
		ROW("\x8c\3abc.", 6),
		ROW("\x8d\3\0\0\0\0\0\0\0abc.", 13),
		ROW("\x8e\3\0\0\0\0\0\0\0abc.", 13),
		ROW("\x96\3\0\0\0\0\0\0\0abc.", 13),
		ROW("h1.", 3),
		ROW("j1234.", 6),
		ROW("Nq1.", 4),
		ROW("Nr1234.", 7),
		ROW("\x82"
		    "1.",
		    3),
		ROW("\x83"
		    "12.",
		    4),
		ROW("\x84"
		    "1234.",
		    6),
		ROW("\x95"
		    "12345678N.",
		    11),
		ROW("I1\n.", 4),
		ROW("L1L\n.", 5),
		ROW("F1.5\n.", 6),
		ROW("F-inf\n.", 7),
		ROW("Fnan\n.", 6),
		ROW("g1\n.", 4),
		ROW("Np1\n.", 5),
		ROW("S'x'\n.", 6),
		ROW("Vx\n.", 4),
		ROW("\x80\2Px\n.", 6),
		ROW("NQ.", 3),
		ROW("\x88\x89"
		    "0.",
		    4),
		ROW("((1N.", 5),
		ROW("(N0"
		    "0N.",
		    6),
		ROW("(NNt.", 5),
		ROW("(NNd.", 5),
		ROW("(NNl.", 5),
		ROW("](NNe.", 6),
		ROW("}(NNu.", 6),
		ROW("}NNs.", 5),
		ROW("]Na.", 4),
		ROW("\x8f(N\x90.", 5),
		ROW("(N\x91.", 4),
		ROW("N\x85.", 3),
		ROW("NN\x86.", 4),
		ROW("NNN\x87.", 5),
		ROW("N2\x86.", 4),
		ROW("\x97\x98.", 3),
		ROW("N\x94.", 3),
		/* where Python gives up */
		ROW("N\x86.", 1),
		ROW("0.", 0),
		ROW("1.", 0),
		ROW("t.", 0),
		ROW("]N(a.", 3),
		ROW("(e.", 1),
		ROW("Ixyz\n.", 0),
		ROW("I\n.", 0),
		ROW("Px\n.", 0),
		ROW("S'x\n.", 0),
		ROW("I1", 0),
		ROW("X\4\0\0\0abc", 0),
		ROW("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
		    "abc",
		    0),
		ROW("N\x94"
		    "0\x94.",
		    3),
	};
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_opcodes w = walk(rows[i].bytes, rows[i].n);

		if (w.end != rows[i].end || w.stopped != (w.end == rows[i].n)) {
			printf("# row %zu: end %d\n", i, (int)w.end);
			wrong++;
		}
	}
	OK_NONE(wrong, sizeof(rows) / sizeof(rows[0]), "arguments");
}

static void
deep_marks_and_long_streams(void)
{
	size_t n = TG_MAX_PICKLE_OPCODES + 10;
	uint8_t *p = malloc(n);
	struct tg_opcodes w;

	memset(p, '(', 100000);
	memset(p + 100000, '1', 100000);
	memcpy(p + 200000, "cos\nsystem\n)R", 13);
	w = walk(p, 200013);
	OK(w.calls && w.end == 200013);
	memset(p + 100000, 't', 100001);
	w = walk(p, 200001);
	OK(w.end == 200000); /* one TUPLE more than marks */
	memset(p, 'N', n);
	w = walk(p, n);
	OK(w.unfinished && w.count == TG_MAX_PICKLE_OPCODES && tg_opcodes_are_pickle(&w));
	free(p);
}

/* Bytes of no meaning: neither numbers from a generator nor weights are taken for pickles. */
static void
noise(void)
{
	uint64_t x = 88172645463325252;
	unsigned hits = 0;
	uint8_t b[512];

	for (unsigned i = 0; i < 100000; i++) {
		for (size_t k = 0; k < sizeof(b); k += 8) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			memcpy(b + k, &x, 8);
		}
		struct tg_opcodes w = walk(b, sizeof(b));
		hits += tg_opcodes_are_pickle(&w);
	}
	OK_NONE(hits, 100000, "random files taken for pickles");
}

static void
failing_reads_are_reported(void)
{
	struct tg_opcodes w;
	SOURCE(src, "\x80\2N.", 4);

	src_f.fail_at = 1;
	OK_STATUS(tg_opcodes_walk(&src, &w, NULL), TG_E_IO);
}

int
main(void)
{
	pickles_of_python();
	verdicts();
	argument_lengths();
	deep_marks_and_long_streams();
	noise();
	failing_reads_are_reported();
	return tap_done();
}
