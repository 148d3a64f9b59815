/* pam_pve_authenticator: asks a daemon whether this person has the second
 * factor. What a login means is decided there; here is PAM's side of it. */
#include <pwd.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "limits.h"
#include "relay.h"

#define EXPORTED __attribute__((visibility("default")))

/* Of package.json: the Makefile says it. Nothing here reads it; it is found in
 * the file, by who compares it with the daemon's. */
#ifndef VERSION
#define VERSION "unknown"
#endif
static const char version[] __attribute__((used)) =
    "pve-authenticator version=" VERSION;

struct options {
	bool nullok;
	const char *paths[SOCKET_PATHS];
};

#ifdef TEST_BUILD
/* socket=PATH, and once more for the one to try on EACCES. */
static bool is_socket(struct options *options, const char *argument)
{
	static const char name[] = "socket=";
	bool first = strcmp(options->paths[0], ROOT_SOCKET) == 0;

	if (strncmp(argument, name, strlen(name)) != 0)
		return false;
	options->paths[first ? 0 : 1] = argument + strlen(name);
	if (first)
		options->paths[1] = NULL;
	return true;
}
#endif

/* Every argument but our own is the daemon's to understand. */
static void read_arguments(struct options *options, struct frame *start,
    int argc, const char **argv)
{
	*options = (struct options){ .paths = { ROOT_SOCKET, USER_SOCKET } };
	for (int i = 0; i < argc; i++) {
#ifdef TEST_BUILD
		if (is_socket(options, argv[i]))
			continue;
#endif
		if (strcmp(argv[i], "nullok") == 0)
			options->nullok = true;
		frame_put_item(start, TAG_ARGUMENT, argv[i]);
	}
}

static void put_pam_item(struct frame *start, pam_handle_t *pamh, int item,
    enum start_tag tag)
{
	const void *text = NULL;

	if (pam_get_item(pamh, item, &text) == PAM_SUCCESS)
		frame_put_item(start, tag, text);
}

static void put_id(struct frame *start, enum start_tag tag, unsigned long id)
{
	char text[ID_TEXT];

	snprintf(text, sizeof text, "%lu", id);
	frame_put_item(start, tag, text);
}

/* Without an entry the daemon asks all the same, and then refuses. */
static void put_passwd(struct frame *start, pam_handle_t *pamh,
    const char *user)
{
	const struct passwd *entry = pam_modutil_getpwnam(pamh, user);

	if (entry == NULL)
		return;
	put_id(start, TAG_UID, entry->pw_uid);
	put_id(start, TAG_GID, entry->pw_gid);
	frame_put_item(start, TAG_HOME, entry->pw_dir);
	frame_put_item(start, TAG_NAME, entry->pw_name);
}

static void begin_start(struct frame *start, unsigned flags)
{
	unsigned sent = 0;

	if ((flags & PAM_SILENT) != 0)
		sent |= START_SILENT;
	if ((flags & PAM_DISALLOW_NULL_AUTHTOK) != 0)
		sent |= START_NO_NULL_AUTHTOK;
	frame_begin(start, MESSAGE_START);
	frame_put_u8(start, PROTOCOL_VERSION);
	frame_put_u8(start, (uint8_t)sent);
}

static void put_facts(struct frame *start, pam_handle_t *pamh,
    const char *user)
{
	put_pam_item(start, pamh, PAM_SERVICE, TAG_SERVICE);
	frame_put_item(start, TAG_USER, user);
	put_pam_item(start, pamh, PAM_TTY, TAG_TTY);
	put_pam_item(start, pamh, PAM_RHOST, TAG_RHOST);
	put_pam_item(start, pamh, PAM_RUSER, TAG_RUSER);
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

static int return_value(struct relay *relay, const struct options *options)
{
	switch (relay->verdict.code) {
	case VERDICT_OK:
		return relay_forward(relay);
	case VERDICT_NOT_ENROLLED:
		return options->nullok ? PAM_IGNORE : PAM_AUTH_ERR;
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
	struct options options;
	const char *user = NULL;
	int rc = get_user(relay->pamh, &user);

	if (rc != PAM_SUCCESS)
		return rc;
	relay->silent = (flags & PAM_SILENT) != 0;
	begin_start(&relay->frame, flags);
	put_facts(&relay->frame, relay->pamh, user);
	read_arguments(&options, &relay->frame, argc, argv);
	put_passwd(&relay->frame, relay->pamh, user);
	memcpy(relay->paths, options.paths, sizeof relay->paths);
	rc = relay_run(relay);
	return rc == PAM_SUCCESS ? return_value(relay, &options) : rc;
}

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc,
    const char **argv)
{
	struct relay relay = { .pamh = pamh, .channel.fd = -1 };
	unsigned delay = FAIL_DELAY_DEFAULT_US;
	int rc = PAM_AUTH_ERR;

	rc = authenticate(&relay, (unsigned)flags, argc, argv);
	if (relay.finished)
		delay = relay.verdict.fail_delay_us;
	if (rc != PAM_SUCCESS && rc != PAM_IGNORE)
		pam_fail_delay(pamh, delay);
	relay_end(&relay);
	return rc;
}

EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc,
    const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
