/* What the module must do, by docs/reference/protocol.md. Whatever the daemon
 * sends, the person types or the system fails: here is the one right answer, the
 * one right return value, and what must never happen. */
#include <errno.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "login.h"

#define PROMPTS 16
#define NOTICES 32
#define UNDECIDED (-1)
#define DEFAULT_DELAY 2000000

static struct {
	/* The way to the daemon. */
	int user_rc;
	bool connected;
	int error;
	int64_t waited_ms, may_wait_ms;

	/* What it may send now, and has sent. */
	struct building start, frame;
	bool may_say;
	size_t said;
	unsigned frames;
	size_t sent_before; /* by the daemon, before the last whole frame */

	/* What it has received. */
	uint8_t bytes[2 * FRAME_MAX];
	size_t size, heard;
	uint8_t last_bytes[FRAME_MAX];
	struct meaning last;
	bool in_turn, asked, stacked;
	unsigned prompts, notices, shown;
	bool question; /* it may ask the person now */

	/* The end. */
	int ending;
	bool has_verdict;
	struct tails tails;
	char kept[1024];
	unsigned tokens, delays, delay;
} it;

void require(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "BROKEN: %s\n", what);
	abort();
}

void oracle_begin(void)
{
	memset(&it, 0, sizeof it);
	it.ending = UNDECIDED;
	it.user_rc = PAM_ABORT;
	it.may_wait_ms = 2000;
}

static void build_passwd(struct building *start, const struct script *script)
{
	char text[24];

	if ((script->flags & HOST_UNKNOWN_USER) != 0)
		return;
	snprintf(text, sizeof text, "%u", script->uid);
	build_item(start, 7, text);
	snprintf(text, sizeof text, "%u", script->gid);
	build_item(start, 8, text);
	build_item(start, 9, script->items[ITEM_HOME]);
	build_item(start, 10, script->items[ITEM_NAME]);
}

static void build_start(struct building *start, const char *user)
{
	const struct script *script = &login.script;

	build(start, START);
	build_u8(start, 1);
	build_u8(start, script->flags & (HOST_SILENT | HOST_NO_NULL));
	build_item(start, 1, "fuzz");
	build_item(start, 2, user);
	build_item(start, 3, script->items[ITEM_TTY]);
	build_item(start, 4, script->items[ITEM_RHOST]);
	build_item(start, 5, script->items[ITEM_RUSER]);
	for (size_t i = 0; i < script->argument_count; i++)
		build_item(start, 6, script->arguments[i]);
	build_passwd(start, script);
	build_end(start);
}

void oracle_user(int rc, const char *user)
{
	it.user_rc = PAM_SUCCESS;
	if (rc == PAM_CONV_ERR || rc == PAM_CONV_AGAIN)
		it.user_rc = PAM_CONV_ERR;
	else if (rc != PAM_SUCCESS || user == NULL)
		it.user_rc = PAM_SERVICE_ERR;
	else
		build_start(&it.start, user);
}

void oracle_not_connected(int error)
{
	it.error = error;
}

void oracle_connected(void)
{
	it.connected = true;
	it.may_say = true;
	it.frame = it.start;
	it.waited_ms = 0;
	it.may_wait_ms = 5000;
}

/* Nothing but the one right frame, to the byte, reaches the daemon. */
void oracle_said(const uint8_t *bytes, size_t size)
{
	require(it.may_say, "said something when it was not its turn");
	require(size <= it.frame.size - it.said &&
	        memcmp(it.frame.bytes + it.said, bytes, size) == 0,
	    "said something else than it must");
	it.said += size;
	if (it.said < it.frame.size)
		return;
	it.may_say = false;
	it.said = 0;
	it.frames++;
	it.sent_before = daemon_sent();
}

unsigned oracle_frames_said(void)
{
	return it.frames;
}

void oracle_waited(int64_t ms)
{
	it.waited_ms += ms;
	require(it.waited_ms <= it.may_wait_ms, "waited past the deadline");
}

static bool is_refusal(uint8_t code)
{
	return code == 0 || code == 3 || code == 4;
}

static bool has_argument(const char *argument)
{
	for (size_t i = 0; i < login.script.argument_count; i++)
		if (strcmp(login.script.arguments[i], argument) == 0)
			return true;
	return false;
}

static int meaning_of_code(uint8_t code)
{
	switch (code) {
	case 0:
		return PAM_AUTH_ERR;
	case 1:
		return PAM_SUCCESS;
	case 2:
		return has_argument("nullok") ? PAM_IGNORE : PAM_AUTH_ERR;
	case 3:
		return PAM_USER_UNKNOWN;
	case 4:
		return PAM_MAXTRIES;
	case 5:
		return PAM_SYSTEM_ERR;
	default:
		return PAM_IGNORE;
	}
}

/* The size of the tail that the verdict names, if it names one. */
static size_t tail_length(void)
{
	return it.tails.length[it.last.shape & ~KEEP];
}

/* Whether the rest before the tail must be set. */
static bool sets_rest(void)
{
	if (it.last.shape == NO_SHAPE)
		return false;
	return (it.last.shape & KEEP) == 0 || it.tails.typed > tail_length();
}

static void heard_verdict(void)
{
	uint8_t code = it.last.code, shape = it.last.shape;

	it.has_verdict = it.in_turn || is_refusal(code);
	it.ending = it.has_verdict ? meaning_of_code(code) : PAM_SYSTEM_ERR;
	if (it.has_verdict && code == 1 && shape != NO_SHAPE &&
	    tail_length() == 0)
		it.ending = PAM_SERVICE_ERR;
}

static void heard_prompt(void)
{
	bool take = it.last.source == 2;

	it.prompts++;
	it.waited_ms = 0;
	it.may_wait_ms = 15000;
	if (!it.in_turn || it.prompts > PROMPTS ||
	    (take && (it.asked || it.stacked))) {
		it.ending = PAM_SERVICE_ERR;
		return;
	}
	it.question = true;
	it.stacked = it.stacked || take;
	it.asked = it.asked || !take;
}

static void heard_frame(void)
{
	it.in_turn = it.frames == it.prompts + 1 && it.heard >= it.sent_before;
	switch (it.last.type) {
	case PROMPT:
		heard_prompt();
		break;
	case NOTICE:
		if (++it.notices > NOTICES)
			it.ending = PAM_SERVICE_ERR;
		break;
	default:
		heard_verdict();
	}
}

void oracle_heard(const uint8_t *bytes, size_t size)
{
	int taken;

	require(it.ending == UNDECIDED, "reads on after the end");
	require(size <= sizeof it.bytes - it.size, "reads without limit");
	memcpy(it.bytes + it.size, bytes, size);
	it.size += size;
	taken = understand(it.bytes, it.size, &it.last);
	if (taken == 0)
		return;
	if (taken < 0) {
		it.ending = PAM_SERVICE_ERR;
		return;
	}
	require((size_t)taken == it.size, "reads into the next frame");
	memcpy(it.last_bytes, it.bytes, it.size);
	understand(it.last_bytes, it.size, &it.last);
	heard_frame();
	it.heard += it.size;
	it.size = 0;
}

static void must_say(const struct building *frame)
{
	it.question = false;
	it.may_say = true;
	it.frame = *frame;
}

static void must_answer(const char *typed)
{
	struct building answer;

	build_answer(&answer, &it.last, typed, &it.tails);
	if (it.last.part == 1 && it.tails.typed > 0)
		memcpy(it.kept, typed, it.tails.typed);
	must_say(&answer);
}

void oracle_stacked(const char *token)
{
	require(it.question && it.last.source == 2,
	    "takes the password without leave");
	must_answer(token);
}

void oracle_answered(int rc, const char *text)
{
	struct building cancel;

	if (it.last.type == NOTICE)
		return;
	require(it.question && it.last.source < 2, "asks without leave");
	if (rc == PAM_SUCCESS && text != NULL) {
		must_answer(text);
		return;
	}
	build(&cancel, CANCEL);
	build_u8(&cancel, rc == PAM_SYSTEM_ERR ? 2 : 1);
	build_end(&cancel);
	must_say(&cancel);
	it.ending = PAM_CONV_ERR;
}

static int style_of_last(void)
{
	if (it.last.type == PROMPT)
		return it.last.source == 0 ? PAM_PROMPT_ECHO_OFF
		                           : PAM_PROMPT_ECHO_ON;
	return it.last.kind == 0 ? PAM_TEXT_INFO : PAM_ERROR_MSG;
}

/* Whether the two bytes are a control character from U+0080 to U+009F. */
static bool is_c1(uint8_t first, uint8_t second)
{
	return first == 0xc2 && second >= 0x80 && second <= 0x9f;
}

/* A person sees the text of the last frame, and no control characters. */
void oracle_shown(int style, const char *text)
{
	if (it.user_rc == PAM_ABORT)
		return; /* libpam asks for the name */
	require(it.question || (it.last.type == NOTICE && it.in_turn),
	    "shows something when it must not");
	require(style == style_of_last(), "wrong style");
	require(it.last.type == PROMPT ||
	        (login.script.flags & HOST_SILENT) == 0,
	    "shows a notice although it must be silent");
	require(strlen(text) == it.last.text_size, "wrong text");
	for (size_t i = 0; i < it.last.text_size; i++) {
		uint8_t byte = it.last.text[i];
		uint8_t before = i > 0 ? it.last.text[i - 1] : 0;
		uint8_t after =
		    i + 1 < it.last.text_size ? it.last.text[i + 1] : 0;
		bool control = (byte < 32 && byte != 9 && byte != 10) ||
		    byte == 127 || is_c1(byte, after) || is_c1(before, byte);

		require((uint8_t)text[i] == (control ? '?' : byte),
		    "wrong text");
	}
}

/* Only the part before the tail that the verdict names. */
void oracle_token_set(const char *token, int rc)
{
	size_t size;

	require(it.has_verdict && it.last.code == 1 &&
	        sets_rest() && it.ending == PAM_SUCCESS,
	    "sets the password without leave");
	size = it.tails.typed - tail_length();
	require(strlen(token) == size && memcmp(token, it.kept, size) == 0,
	    "sets a wrong password");
	it.tokens++;
	if (rc != PAM_SUCCESS)
		it.ending = PAM_SYSTEM_ERR;
}

void oracle_delay(unsigned usec)
{
	it.delays++;
	it.delay = usec;
}

/* If the START was too long and the daemon hung up before, both are right. */
static int right_return_value(int rc)
{
	if (it.user_rc != PAM_SUCCESS)
		return it.user_rc;
	if (!it.connected)
		return it.error == ENOENT || it.error == ECONNREFUSED
		    ? PAM_AUTHINFO_UNAVAIL
		    : PAM_SYSTEM_ERR;
	if (it.ending != UNDECIDED)
		return it.ending;
	return it.start.too_long && rc == PAM_SERVICE_ERR ? rc : PAM_SYSTEM_ERR;
}

static void check_success(void)
{
	require(it.has_verdict && it.in_turn && it.last.type == VERDICT &&
	        it.last.code == 1 && it.frames == it.prompts + 1,
	    "success without the verdict ok in its place");
	require(it.tokens == sets_rest(),
	    "success without setting the password");
}

static void check_ignore(void)
{
	require(it.has_verdict && it.in_turn && it.last.type == VERDICT &&
	        (it.last.code == 6 ||
	            (it.last.code == 2 && has_argument("nullok"))),
	    "ignored without leave");
}

static void check_failure(void)
{
	unsigned delay = it.has_verdict ? it.last.delay : DEFAULT_DELAY;

	require(it.delays == 1 && it.delay == delay,
	    "a failure without the right delay");
}

void oracle_end(int rc)
{
	int right = right_return_value(rc);

	if (rc == PAM_SUCCESS)
		check_success();
	else if (rc == PAM_IGNORE)
		check_ignore();
	else
		check_failure();
	if (rc != right)
		fprintf(stderr, "returned %d, expected %d\n", rc, right);
	require(rc == right, "wrong return value");
}
