#include "../../tap.h"
#include "make.h"
#include "tensor/keras.h"

static const char *
find(const char *p, size_t n)
{
	SOURCE(src, p, n);
	const char *name = "?";

	if (tg_keras_find_code(&src, &name, NULL) != TG_OK)
		abort();
	return name;
}

static bool
has(const char *text)
{
	return find(text, strlen(text)) != NULL;
}

static void
spellings(void)
{
	OK(has("{\"class_name\": \"Lambda\"}"));
	OK(has("{\"class_name\":\"Lambda\"}"));
	OK(has("{\"class_name\" \n\t:\r\n  \"Lambda\"}"));
	OK(has("{\"cl\\u0061ss_name\": \"L\\u0061mbda\"}"));
	OK(has("{\"class_name\": \"\\u004Cambda\"}"));
	OK(has("{\"x\": {\"class_name\": \"__lambda__\", \"config\": {}}}"));
	OK(has("\"class_name\": \"TorchModuleWrapper\""));
	OK(has("noise \" class_name\": \"Lambda\" noise")); /* one mark too many before it */
	OK(has("noise \\\"class_name\": \"Lambda\""));
	OK(strcmp(find("\"class_name\":\"__lambda__\"", 25), "__lambda__") == 0);
	static const char ascii[] = "{\"class_name\": \"Lambda\"}";
	char wide[2 * sizeof(ascii)] = "";
	for (size_t i = 0; i < sizeof(ascii); i++)
		wide[2 * i] = ascii[i];
	OK(find(wide, sizeof(wide)) != NULL && find(wide + 1, sizeof(wide) - 1) != NULL);
}

static void
others(void)
{
	OK(!has(""));
	OK(!has("{\"class_name\": \"Dense\", \"name\": \"Lambda\"}"));
	OK(!has("{\"class_name\": \"LambdaCallback\"}"));
	OK(!has("{\"class_names\": \"Lambda\"}"));
	OK(!has("{\"class_name\", \"Lambda\"}"));
	OK(!has("\"class_name\": \"Lambda"));
	OK(!has("\"class_name\": Lambda"));
	OK(!has("\"class_name\": \"\\nLambda\""));
	OK(!has("\"class_name\": \"L\\u00ambda\""));
	OK(!has("\"class_name\\\": \\\"Lambda\\\""));
}

/* The search goes on across the blocks that the source is read in. */
static void
any_place(void)
{
	static const char want[] = "\"class_name\": \"Lambda\"";
	static char file[140000];
	unsigned wrong = 0, n = 0;

	for (size_t at = 65500; at < 65560; at++, n++) {
		memset(file, ' ', sizeof(file));
		memcpy(file + at, want, sizeof(want) - 1);
		wrong += find(file, sizeof(file)) == NULL;
	}
	OK_NONE(wrong, n, "places");
	OK(find(file, 65570) == NULL);
}

int
main(void)
{
	SOURCE(src, "text", 4);
	const char *name = "?";

	spellings();
	others();
	any_place();
	src_f.fail_at = 1;
	OK(tg_keras_find_code(&src, &name, NULL) == TG_E_IO && strcmp(name, "?") == 0);
	return tap_done();
}
