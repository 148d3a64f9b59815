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

/* Sends the frame that is built. The daemon has `ms` for what comes next. If it
 * has spoken out of turn or hung up, as when it shuts down while a person
 * thinks, its last word is heard instead. */
static int say(struct relay *relay, int64_t ms)
{
	int error = EPIPE;

	channel_allow(&relay->channel, ms);
	if (!channel_pending(&relay->channel))
		error = frame_send(&relay->frame, &relay->channel);
	relay->last_word = error == EPIPE || error == ECONNRESET;
	return relay->last_word ? PAM_SUCCESS : broken(relay, error, "writing");
}

/* Tells the daemon that nobody will answer; the login has failed anyway. */
static int cancel(struct relay *relay, enum cancel_reason reason)
{
	frame_begin(&relay->frame, MESSAGE_CANCEL);
	frame_put(&relay->frame, reason, U8);
	channel_allow(&relay->channel, 0);
	frame_send(&relay->frame, &relay->channel);
	return PAM_CONV_ERR;
}

static void discard(char *response)
{
	if (response != NULL)
		explicit_bzero(response, strlen(response));
	free(response);
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
static int show(struct relay *relay, const struct message *notice)
{
	int style = notice->kind == NOTICE_ERROR ? PAM_ERROR_MSG
	                                            : PAM_TEXT_INFO;
	char *response = NULL;

	if (++relay->notices > NOTICES_MAX)
		return out_of_order(relay, "too many notices");
	if (relay->silent || relay->last_word)
		return PAM_SUCCESS;
	sanitise(notice->text);
	pam_prompt(relay->pamh, style, &response, "%s", notice->text);
	discard(response);
	return PAM_SUCCESS;
}

/* Puts every shape that was asked for and that the answer, or its end, has. */
static void put_fitting(struct frame *frame, const struct message *prompt,
    struct kept *kept)
{
	const char *end = kept->text + kept->length;
	size_t size;

	for (unsigned i = 0; i < prompt->count; i++) {
		size = prompt->part == PART_TAIL ? prompt->shapes[i].length
		                                 : kept->length;
		if (size > kept->length ||
		    !shape_fits(prompt->shapes[i], end - size, size))
			continue;
		kept->fits[i] = size;
		frame_put_item(frame, i, end - size, size);
	}
}

/* Sends of what was typed only what has a shape that was asked for. A whole
 * answer first loses what people type to group digits; one whose tail was asked
 * for is kept as it is. */
static int answer(struct relay *relay, const struct message *prompt,
    const char *typed)
{
	bool tail = prompt->part == PART_TAIL;
	struct kept whole;
	struct kept *kept = tail ? &relay->kept : &whole;

	explicit_bzero(kept, sizeof *kept);
	if (typed == NULL || strnlen(typed, TYPED_MAX + 1) > TYPED_MAX)
		typed = "";
	for (; *typed != 0; typed++)
		if (tail || strchr(" \t-", *typed) == NULL)
			kept->text[kept->length++] = *typed;
	frame_begin(&relay->frame, MESSAGE_ANSWER);
	put_fitting(&relay->frame, prompt, kept);
	explicit_bzero(&whole, sizeof whole);
	return say(relay, ANSWERED_MS);
}

/* Takes the password that a module before us left, in the first prompt only. */
static int answer_stacked(struct relay *relay, const struct message *prompt)
{
	const void *stacked = NULL;

	if (relay->prompts > 1)
		return out_of_order(relay, "it may not take the password now");
	if (pam_get_item(relay->pamh, PAM_AUTHTOK, &stacked) != PAM_SUCCESS)
		stacked = NULL;
	return answer(relay, prompt, stacked);
}

static int ask(struct relay *relay, const struct message *prompt)
{
	int style = prompt->source == SOURCE_VISIBLE
	    ? PAM_PROMPT_ECHO_ON
	    : PAM_PROMPT_ECHO_OFF;
	char *typed = NULL;
	int rc;

	if (relay->last_word)
		return out_of_order(relay, "it spoke out of turn");
	if (++relay->prompts > PROMPTS_MAX)
		return out_of_order(relay, "too many prompts");
	if (prompt->source == SOURCE_STACKED)
		return answer_stacked(relay, prompt);
	sanitise(prompt->text);
	rc = pam_prompt(relay->pamh, style, &typed, "%s", prompt->text);
	if (rc == PAM_SUCCESS && typed != NULL)
		rc = answer(relay, prompt, typed);
	else /* libpam says SYSTEM_ERR where the host has no conversation */
		rc = cancel(relay,
		    rc == PAM_SYSTEM_ERR ? CANCEL_NOT_ALLOWED : CANCEL_FAILED);
	discard(typed);
	return rc;
}

/* A last word counts only if it is a refusal: nothing that was said before the
 * answer can depend on it. */
static int conclude(struct relay *relay, const struct message *verdict)
{
	bool refusal = verdict->code == VERDICT_DENIED ||
	    verdict->code == VERDICT_USER_UNKNOWN ||
	    verdict->code == VERDICT_TOO_MANY;

	if (relay->last_word && !refusal)
		return broken(relay, EPIPE, "no refusal as its last word");
	relay->verdict = *verdict;
	relay->finished = true;
	return PAM_SUCCESS;
}

int relay_run(struct relay *relay)
{
	struct message message;
	int rc = connect_daemon(relay);

	if (rc == PAM_SUCCESS)
		rc = say(relay, FIRST_FRAME_MS);
	while (rc == PAM_SUCCESS && !relay->finished) {
		rc = broken(relay,
		    frame_receive(&relay->frame, &relay->channel, &message),
		    relay->last_word ? "reading the last word" : "reading");
		if (rc != PAM_SUCCESS)
			return rc;
		if (message.type == MESSAGE_NOTICE)
			rc = show(relay, &message);
		else if (message.type == MESSAGE_PROMPT)
			rc = ask(relay, &message);
		else
			rc = conclude(relay, &message);
	}
	return rc;
}

int relay_forward(struct relay *relay)
{
	struct kept *kept = &relay->kept;
	unsigned shape = relay->verdict.shape;
	size_t tail;

	if (shape == SHAPE_NONE)
		return PAM_SUCCESS;
	tail = kept->fits[shape & ~SHAPE_KEEP];
	if (tail == 0)
		return out_of_order(relay, "no such tail to cut off");
	if (tail == kept->length && (shape & SHAPE_KEEP) != 0)
		return PAM_SUCCESS;
	/* An empty rest is an empty password, and set as one: what a module
	 * before us stacked must not pass for what was typed here. */
	kept->text[kept->length - tail] = 0;
	return pam_set_item(relay->pamh, PAM_AUTHTOK, kept->text) == PAM_SUCCESS
	    ? PAM_SUCCESS
	    : PAM_SYSTEM_ERR;
}
