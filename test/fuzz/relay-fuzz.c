/* Fuzzes the whole module through the real libpam: the input is a script of
 * one login (script.h), and oracle.c knows the right result. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <security/pam_appl.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "login.h"

#define SERVICE "fuzz"
#define MODULE "pam_pve_authenticator.so"
#define DIRECTORY_MAX 80

struct login login;

static char directory[DIRECTORY_MAX]; /* the PAM service and the socket */
static char module[PATH_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static const char *in_directory(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void remove_directory(void)
{
	unlink(in_directory("sock"));
	unlink(in_directory(SERVICE));
	rmdir(directory);
}

/* The module lies beside the fuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *parent = getenv("TMPDIR");
	char self[PATH_MAX] = "";

	(void)argc;
	(void)argv;
	require(readlink("/proc/self/exe", self, sizeof self - 1) > 0, "/proc");
	snprintf(module, sizeof module, "%.4000s/" MODULE, dirname(self));
	snprintf(directory, sizeof directory, "%s/pve-fuzz-XXXXXX",
	    parent == NULL ? "/tmp" : parent);
	require(mkdtemp(directory) != NULL, "mkdtemp");
	atexit(remove_directory);
	daemon_listen(in_directory("sock"));
	close(STDIN_FILENO);
	require(open("/dev/null", O_RDONLY) == STDIN_FILENO, "/dev/null");
	return 0;
}

static void put_socket(FILE *line, const char *name)
{
	fprintf(line, " socket=%s/%s", directory, name);
}

static void put_sockets(FILE *line, const struct script *script)
{
	put_socket(line, script->first_socket == SOCKET_GOOD ? "sock" : "none");
	if (script->first_socket == SOCKET_TOO_LONG)
		fprintf(line, "%0120d", 0);
	if ((script->flags & HOST_SECOND_SOCKET) != 0)
		put_socket(line, (script->flags & HOST_SECOND_MISSING) != 0
		        ? "none"
		        : "sock");
}

/* Writes the service file, unless the last one was the same. */
static void write_service(const struct script *script)
{
	static char last[PATH_MAX + 2048];
	char text[sizeof last] = "";
	FILE *line = fmemopen(text, sizeof text - 1, "w");

	fprintf(line, "auth required %s", module);
	put_sockets(line, script);
	for (size_t i = 0; i < script->argument_count; i++)
		fprintf(line, " %s", script->arguments[i]);
	fputc('\n', line);
	fclose(line);
	if (strcmp(text, last) == 0)
		return;
	memcpy(last, text, sizeof last);
	line = fopen(in_directory(SERVICE), "w");
	require(line != NULL && fputs(text, line) >= 0, "service file");
	fclose(line);
}

static const struct typed *next_typed(void)
{
	static const struct typed digits = { .text = "123456" };
	const struct script *script = &login.script;

	if (login.typed_next == script->typed_count)
		return &digits;
	return &script->typed[login.typed_next++];
}

/* Some hosts answer even messages that are not questions. */
static int respond_to_notice(struct pam_response *response)
{
	if (login.calls[CALL_PROMPT] % 2 == 1)
		response->resp = strdup("a password");
	return PAM_SUCCESS;
}

static int respond(const struct typed *typed, bool asks_name,
    struct pam_response **responses)
{
	struct pam_response *response = *responses;
	uint8_t how = typed->how;

	login.clock_ms += typed->think_ms;
	/**
	 * libpam itself leaks the response if asking for the name fails; the module
	 * is not at fault.
	 */
	if (how == HOW_ERROR_AND_ANSWER && asks_name)
		how = HOW_ERROR;
	if (how == HOW_ANSWER || how == HOW_ERROR_AND_ANSWER)
		response->resp = strdup(typed->text);
	if (how == HOW_NO_ARRAY || how == HOW_ERROR) {
		free(response);
		*responses = NULL;
	}
	return how == HOW_ERROR || how == HOW_ERROR_AND_ANSWER ? typed->rc
	                                                       : PAM_SUCCESS;
}

static int converse(int count, const struct pam_message **messages,
    struct pam_response **responses, void *data)
{
	int style = messages[0]->msg_style, rc;

	(void)data;
	require(count == 1, "more than one message");
	oracle_shown(style, messages[0]->msg);
	*responses = calloc(1, sizeof **responses);
	if (style == PAM_TEXT_INFO || style == PAM_ERROR_MSG)
		rc = respond_to_notice(*responses);
	else
		rc = respond(next_typed(), login.calls[CALL_CONNECT] == 0,
		    responses);
	return rc;
}

static void no_delay(int rc, unsigned usec, void *data)
{
	(void)rc;
	(void)usec;
	(void)data;
}

static void set_items(pam_handle_t *pamh, const struct script *script)
{
	pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
	pam_set_item(pamh, PAM_RHOST, script->items[ITEM_RHOST]);
	pam_set_item(pamh, PAM_TTY, script->items[ITEM_TTY]);
	pam_set_item(pamh, PAM_RUSER, script->items[ITEM_RUSER]);
}

/*
 * What the module returned: libpam turns IGNORE into PERM_DENIED if no other
 * module decides, and the module itself never returns PERM_DENIED.
 */
static int authenticate(pam_handle_t *pamh, const struct script *script)
{
	int flags = 0, rc;

	if ((script->flags & HOST_SILENT) != 0)
		flags |= PAM_SILENT;
	if ((script->flags & HOST_NO_NULL) != 0)
		flags |= PAM_DISALLOW_NULL_AUTHTOK;
	rc = pam_authenticate(pamh, flags);
	return rc == PAM_PERM_DENIED ? PAM_IGNORE : rc;
}

static void log_in(pam_handle_t *pamh, const struct script *script)
{
	uint64_t before;
	int rc;

	if ((script->flags & HOST_NO_STDIN) != 0)
		close(STDIN_FILENO);
	before = open_descriptors();
	rc = authenticate(pamh, script);
	daemon_end();
	require(open_descriptors() == before && login.descriptors == 0,
	    "descriptors are left open, or closed");
	if ((script->flags & HOST_NO_STDIN) != 0)
		open("/dev/null", O_RDONLY);
	oracle_end(rc);
	rc = rc == PAM_SUCCESS ? pam_setcred(pamh, PAM_ESTABLISH_CRED) : 0;
	require(rc == PAM_SUCCESS, "setcred");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script *script = &login.script;
	struct pam_conv conv = { converse, NULL };
	pam_handle_t *pamh = NULL;
	const char *user;

	memset(&login, 0, sizeof login);
	login.clock_ms = 1000000;
	script_read(script, data, size);
	write_service(script);
	daemon_begin();
	oracle_begin();
	user = script->items[ITEM_USER];
	if ((script->flags & HOST_NO_CONV) != 0)
		conv.conv = NULL;
	else if ((script->flags & HOST_NO_USER) != 0)
		user = NULL; /* libpam needs a conversation then */
	require(pam_start_confdir(SERVICE, user, &conv, directory, &pamh) ==
	        PAM_SUCCESS,
	    "pam_start");
	system_watch(module);
	set_items(pamh, script);
	log_in(pamh, script);
	pam_end(pamh, PAM_SUCCESS);
	return 0;
}
