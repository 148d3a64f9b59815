#define _GNU_SOURCE /* explicit_bzero, strnlen */
#include "relay.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* What an attacker could bring about must not look like an absent daemon. */
static int broken(struct relay *relay, int error, const char *what)
{
	if (error == 0)
		return PAM_SUCCESS;
	pam_syslog(relay->pamh, LOG_ERR, "%s: %s", what, strerror(error));
	return error == EBADMSG || error == EMSGSIZE ? PAM_SERVICE_ERR
	                                             : PAM_SYSTEM_ERR;
}

static int out_of_order(struct relay *relay, const char *what)
{
	pam_syslog(relay->pamh, LOG_ERR, "the daemon broke the protocol: %s",
	    what);
	return PAM_SERVICE_ERR;
}

static int connect_daemon(struct relay *relay)
{
	const char *path = relay->paths[0];
	int error;

	channel_allow(&relay->channel, CONNECT_MS);
	error = channel_open(&relay->channel, path);
	if (error == EACCES && relay->paths[1] != NULL) {
		path = relay->paths[1];
		error = channel_open(&relay->channel, path);
	}
	if (error != ENOENT && error != ECONNREFUSED)
		return broken(relay, error, path);
	pam_syslog(relay->pamh, LOG_ERR, "no daemon at %s: %s", path,
	    strerror(error));
	return PAM_AUTHINFO_UNAVAIL;
}

static bool is_refusal(const struct verdict *verdict)
{
	return verdict->code == VERDICT_DENIED ||
	    verdict->code == VERDICT_USER_UNKNOWN ||
	    verdict->code == VERDICT_TOO_MANY;
}

/* The daemon spoke out of turn or hung up, as when it shuts down while a
 * person thinks. Its verdict counts only if it is a refusal: nothing that
 * was said before the answer can depend on it. */
static int hear_last_word(struct relay *relay)
{
	struct message message;
	int error;

	do {
		error = frame_receive(&relay->frame, &relay->channel, &message);
		if (error != 0)
			return broken(relay, error, "reading the last word");
	} while (message.type == MESSAGE_NOTICE &&
	    ++relay->notices <= NOTICES_MAX);
	if (message.type != MESSAGE_VERDICT)
		return out_of_order(relay, "it spoke out of turn");
	if (!is_refusal(&message.verdict))
		return broken(relay, EPIPE, "no refusal as its last word");
	relay->verdict = message.verdict;
	relay->finished = true;
	return PAM_SUCCESS;
}

/* Sends the frame that is built. The daemon has `ms` for what comes next. */
static int say(struct relay *relay, int64_t ms)
{
	int error;

	channel_allow(&relay->channel, ms);
	if (channel_pending(&relay->channel))
		return hear_last_word(relay);
	error = frame_send(&relay->frame, &relay->channel);
	if (error == EPIPE || error == ECONNRESET)
		return hear_last_word(relay);
	return broken(relay, error, "writing");
}

/* Tells the daemon that nobody will answer; the login has failed anyway. */
static int cancel(struct relay *relay, enum cancel_reason reason)
{
	frame_begin(&relay->frame, MESSAGE_CANCEL);
	frame_put_u8(&relay->frame, (uint8_t)reason);
	channel_allow(&relay->channel, 0);
	frame_send(&relay->frame, &relay->channel);
	return PAM_CONV_ERR;
}

static void discard(char **response)
{
	if (*response != NULL)
		explicit_bzero(*response, strlen(*response));
	free(*response);
	*response = NULL;
}

/* What a terminal could take for a command becomes '?': control characters
 * of ASCII, and U+0080 to U+009F, in UTF-8 C2 80 to C2 9F. */
static void sanitise(char *text)
{
	for (; *text != 0; text++) {
		if (*text == '\302' && (text[1] & '\340') == '\200')
			text[0] = text[1] = '?';
		if ((*text > 0 && *text < ' ' && *text != '\t' &&
		     *text != '\n') || *text == '\177')
			*text = '?';
	}
}

/* Shows a notice. Nothing depends on it, so a host that cannot is no error;
 * some hosts answer even these with the password. */
static int show(struct relay *relay, const struct message *message)
{
	int style = message->notice == NOTICE_ERROR ? PAM_ERROR_MSG
	                                            : PAM_TEXT_INFO;
	char *response = NULL;

	if (++relay->notices > NOTICES_MAX)
		return out_of_order(relay, "too many notices");
	if (relay->silent)
		return PAM_SUCCESS;
	sanitise(message->text);
	pam_prompt(relay->pamh, style, &response, "%s", message->text);
	discard(&response);
	return PAM_SUCCESS;
}

/* Puts every shape that the whole answer has, without what people type to
 * group digits. A longer answer than any shape fits nothing. */
static void put_whole(struct relay *relay, const struct prompt *prompt,
    const char *typed)
{
	char bare[ANSWER_MAX];
	size_t length = 0;

	for (; *typed != 0 && length < sizeof bare; typed++)
		if (*typed != ' ' && *typed != '\t' && *typed != '-')
			bare[length++] = *typed;
	for (uint8_t i = 0; *typed == 0 && i < prompt->count; i++) {
		if (!shape_fits(prompt->shapes[i], PART_WHOLE, bare, length))
			continue;
		frame_put_u8(&relay->frame, i);
		frame_put_str(&relay->frame, bare, length);
	}
	explicit_bzero(bare, sizeof bare);
}

/* Puts every shape that the end of the answer has, and keeps the answer. */
static void put_tails(struct relay *relay, const struct prompt *prompt,
    const char *typed, size_t length)
{
	struct kept *kept = &relay->kept;
	const char *tail;
	uint8_t size;

	memcpy(kept->text, typed, length);
	kept->length = length;
	for (uint8_t i = 0; i < prompt->count; i++) {
		size = prompt->shapes[i].length;
		if (size > length)
			continue;
		tail = typed + length - size;
		if (!shape_fits(prompt->shapes[i], PART_TAIL, tail, size))
			continue;
		kept->fits[i] = size;
		frame_put_u8(&relay->frame, i);
		frame_put_str(&relay->frame, tail, size);
	}
}

/* Sends of what was typed only what has a shape that was asked for. */
static int answer(struct relay *relay, const struct prompt *prompt,
    const char *typed)
{
	size_t length = typed == NULL ? 0 : strnlen(typed, TYPED_MAX + 1);

	frame_begin(&relay->frame, MESSAGE_ANSWER);
	if (prompt->part == PART_TAIL)
		explicit_bzero(&relay->kept, sizeof relay->kept);
	if (length > 0 && length <= TYPED_MAX) {
		if (prompt->part == PART_TAIL)
			put_tails(relay, prompt, typed, length);
		else
			put_whole(relay, prompt, typed);
	}
	return say(relay, ANSWERED_MS);
}

static int answer_stacked(struct relay *relay, const struct prompt *prompt)
{
	const void *stacked = NULL;

	if (relay->asked || relay->stacked)
		return out_of_order(relay, "it may not take the password now");
	relay->stacked = true;
	if (pam_get_item(relay->pamh, PAM_AUTHTOK, &stacked) != PAM_SUCCESS)
		stacked = NULL;
	return answer(relay, prompt, stacked);
}

static int ask(struct relay *relay, const struct message *message)
{
	int style = message->prompt.source == SOURCE_VISIBLE
	    ? PAM_PROMPT_ECHO_ON
	    : PAM_PROMPT_ECHO_OFF;
	char *response = NULL;
	int rc;

	relay->asked = true;
	sanitise(message->text);
	rc = pam_prompt(relay->pamh, style, &response, "%s", message->text);
	if (rc == PAM_SUCCESS && response != NULL)
		rc = answer(relay, &message->prompt, response);
	else /* libpam says SYSTEM_ERR where the host has no conversation */
		rc = cancel(relay,
		    rc == PAM_SYSTEM_ERR ? CANCEL_NOT_ALLOWED : CANCEL_FAILED);
	discard(&response);
	return rc;
}

static int handle(struct relay *relay, const struct message *message)
{
	switch (message->type) {
	case MESSAGE_NOTICE:
		return show(relay, message);
	case MESSAGE_PROMPT:
		if (++relay->prompts > PROMPTS_MAX)
			return out_of_order(relay, "too many prompts");
		if (message->prompt.source == SOURCE_STACKED)
			return answer_stacked(relay, &message->prompt);
		return ask(relay, message);
	case MESSAGE_VERDICT:
		relay->verdict = message->verdict;
		relay->finished = true;
		return PAM_SUCCESS;
	default:
		return out_of_order(relay, "unknown message");
	}
}

int relay_run(struct relay *relay)
{
	struct message message;
	int rc;

	rc = connect_daemon(relay);
	if (rc == PAM_SUCCESS)
		rc = say(relay, FIRST_FRAME_MS);
	while (rc == PAM_SUCCESS && !relay->finished) {
		rc = broken(relay,
		    frame_receive(&relay->frame, &relay->channel, &message),
		    "reading");
		if (rc == PAM_SUCCESS)
			rc = handle(relay, &message);
	}
	return rc;
}

int relay_forward(struct relay *relay)
{
	uint8_t shape = relay->verdict.shape;
	bool keep = (shape & SHAPE_KEEP) != 0;
	struct kept *kept = &relay->kept;

	if (shape == SHAPE_NONE)
		return PAM_SUCCESS;
	shape &= (uint8_t)~SHAPE_KEEP;
	if (kept->fits[shape] == 0)
		return out_of_order(relay, "no such tail to cut off");
	if (keep && kept->length == kept->fits[shape])
		return PAM_SUCCESS;
	/* An empty rest is an empty password, and set as one: what a module
	 * before us stacked must not pass for what was typed here. */
	kept->text[kept->length - kept->fits[shape]] = 0;
	if (pam_set_item(relay->pamh, PAM_AUTHTOK, kept->text) != PAM_SUCCESS)
		return PAM_SYSTEM_ERR;
	return PAM_SUCCESS;
}

void relay_end(struct relay *relay)
{
	channel_close(&relay->channel);
	explicit_bzero(relay, sizeof *relay);
}
