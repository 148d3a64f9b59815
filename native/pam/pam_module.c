/* pam_pve_authenticator: asks a daemon whether this person has the second
 * factor. What a login means is decided there; here is PAM's side of it. */
#define _GNU_SOURCE /* explicit_bzero */
#include <pwd.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "relay.h"

#define EXPORTED __attribute__((visibility("default")))
#define UNUSED __attribute__((unused))

/* Of package.json: the Makefile says it. Nothing here reads it; it is found in
 * the file, by who compares it with the daemon's. */
static const char version[] __attribute__((used)) =
    "pve-authenticator version=" VERSION;

#ifdef TEST_BUILD
/* socket=PATH, and once more for the one to try on EACCES. */
static bool is_socket(struct relay *relay, const char *argument)
{
	static const char name[] = "socket=";
	bool first = strcmp(relay->paths[0], ROOT_SOCKET) == 0;

	if (strncmp(argument, name, strlen(name)) != 0)
		return false;
	relay->paths[first ? 0 : 1] = argument + strlen(name);
	if (first)
		relay->paths[1] = NULL;
	return true;
}
#endif

static void put_text(struct frame *start, enum start_tag tag, const char *text)
{
	if (text != NULL)
		frame_put_item(start, tag, text, strlen(text));
}

static void put_pam_item(struct relay *relay, enum start_tag tag, int item)
{
	const void *text = NULL;

	if (pam_get_item(relay->pamh, item, &text) == PAM_SUCCESS)
		put_text(&relay->frame, tag, text);
}

/* Every argument but our own is the daemon's to understand. */
static void put_arguments(struct relay *relay, int argc, const char **argv)
{
	for (int i = 0; i < argc; i++) {
#ifdef TEST_BUILD
		if (is_socket(relay, argv[i]))
			continue;
#endif
		if (strcmp(argv[i], "nullok") == 0)
			relay->nullok = true;
		put_text(&relay->frame, TAG_ARGUMENT, argv[i]);
	}
}

static void put_id(struct frame *start, enum start_tag tag, unsigned long id)
{
	char text[sizeof "18446744073709551615"];

	snprintf(text, sizeof text, "%lu", id);
	put_text(start, tag, text);
}

/* Without an entry the daemon asks all the same, and then refuses. */
static void put_passwd(struct frame *start, const struct passwd *entry)
{
	if (entry == NULL)
		return;
	put_id(start, TAG_UID, entry->pw_uid);
	put_id(start, TAG_GID, entry->pw_gid);
	put_text(start, TAG_HOME, entry->pw_dir);
	put_text(start, TAG_NAME, entry->pw_name);
}

/* The host may ask for the name here. */
static int get_user(pam_handle_t *pamh, const char **user)
{
	int rc = pam_get_user(pamh, user, NULL);

	if (rc == PAM_SUCCESS && *user != NULL)
		return PAM_SUCCESS;
	pam_syslog(pamh, LOG_ERR, "no user name");
	return rc == PAM_CONV_ERR || rc == PAM_CONV_AGAIN ? PAM_CONV_ERR
	                                                  : PAM_SERVICE_ERR;
}

static int return_value(struct relay *relay)
{
	switch (relay->verdict.code) {
	case VERDICT_OK:
		return relay_forward(relay);
	case VERDICT_NOT_ENROLLED:
		return relay->nullok ? PAM_IGNORE : PAM_AUTH_ERR;
	case VERDICT_USER_UNKNOWN:
		return PAM_USER_UNKNOWN;
	case VERDICT_TOO_MANY:
		return PAM_MAXTRIES;
	case VERDICT_UNAVAILABLE:
		return PAM_SYSTEM_ERR;
	case VERDICT_EXEMPT:
		return PAM_IGNORE;
	default:
		return PAM_AUTH_ERR;
	}
}

static int authenticate(struct relay *relay, unsigned flags, int argc,
    const char **argv)
{
	struct frame *start = &relay->frame;
	unsigned sent = 0;
	const char *user = NULL;
	int rc = get_user(relay->pamh, &user);

	if (rc != PAM_SUCCESS)
		return rc;
	relay->silent = (flags & PAM_SILENT) != 0;
	if (relay->silent)
		sent |= START_SILENT;
	if ((flags & PAM_DISALLOW_NULL_AUTHTOK) != 0)
		sent |= START_NO_NULL_AUTHTOK;
	frame_begin(start, MESSAGE_START);
	frame_put(start, PROTOCOL_VERSION, U8);
	frame_put(start, sent, U8);
	put_pam_item(relay, TAG_SERVICE, PAM_SERVICE);
	put_text(start, TAG_USER, user);
	put_pam_item(relay, TAG_TTY, PAM_TTY);
	put_pam_item(relay, TAG_RHOST, PAM_RHOST);
	put_pam_item(relay, TAG_RUSER, PAM_RUSER);
	put_arguments(relay, argc, argv);
	put_passwd(start, pam_modutil_getpwnam(relay->pamh, user));
	rc = relay_run(relay);
	return rc == PAM_SUCCESS ? return_value(relay) : rc;
}

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc,
    const char **argv)
{
	struct relay relay = { .pamh = pamh, .channel.fd = -1,
		.paths = { ROOT_SOCKET, USER_SOCKET },
		.verdict.fail_delay_us = FAIL_DELAY_DEFAULT_US };
	int rc = authenticate(&relay, (unsigned)flags, argc, argv);

	if (rc != PAM_SUCCESS && rc != PAM_IGNORE)
		pam_fail_delay(pamh, relay.verdict.fail_delay_us);
	channel_close(&relay.channel);
	explicit_bzero(&relay, sizeof relay);
	return rc;
}

EXPORTED int pam_sm_setcred(pam_handle_t *pamh UNUSED, int flags UNUSED,
    int argc UNUSED, const char **argv UNUSED)
{
	return PAM_SUCCESS;
}
