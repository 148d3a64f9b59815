/* A line-driven PAM client for tests; it links only libpam.
 *
 *   pam-client [options] SERVICE USER OP...
 *
 *   -d DIR          read service files from DIR (pam_start_confdir)
 *   -i ITEM=VALUE   set RHOST, TTY, RUSER, USER or AUTHTOK
 *   -f FLAGS        flags of auth: 0x8000 PAM_SILENT (sudo), 1 no null token
 *   -k              go on after a failed OP: three tries on one handle
 *   -x              answers come in hexadecimal
 *   -c KIND         a conversation that misbehaves: null (success, no array),
 *                   empty (success, no answer), fail, system, none (no
 *                   function), chatty (answers notices too)
 *   -n COUNT        the conversation fails from its COUNT-th question on
 *   -w MS           wait that long before answering anything
 *   -z              close descriptors 0 to 2, as careless hosts do
 *   -e              interrupt system calls every millisecond
 *
 * An empty USER is none. OPs: auth acct setcred open close chauthtok env
 * host (what the module may not change) authtok (PAM_AUTHTOK in hexadecimal)
 * pause (until a line or end of file on standard input).
 * Applications cannot see PAM_AUTHTOK, so AUTHTOK and authtok need the test
 * module: `auth optional pam_probe.so` before and after what is tested.
 *
 * Writes one JSON object a line. After a question it reads one line from
 * standard input as the answer; end of file is PAM_CONV_ERR. "delay" is what
 * the module wanted with pam_fail_delay, as libpam varied it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define ITEMS_MAX 16

struct client {
	const char *confdir, *kind;
	const char *items[ITEMS_MAX];
	int item_count, flags, fail_at, wait_ms;
	bool keep, hex, close_stdio, interrupt;
	int questions;
	unsigned delay;
	FILE *in, *out;
};

static void put_json(FILE *out, const char *text)
{
	fputc('"', out);
	for (; text != NULL && *text != 0; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c == 127)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

/* Turns hexadecimal into bytes, in place. */
static void unhex(char *line)
{
	size_t n = strlen(line) / 2;
	unsigned byte;

	for (size_t i = 0; i < n; i++) {
		char two[3] = { line[2 * i], line[2 * i + 1], 0 };

		if (sscanf(two, "%x", &byte) != 1)
			break;
		line[i] = (char)byte;
	}
	line[n] = 0;
}

static char *read_answer(struct client *client)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	client->questions++;
	if (client->fail_at > 0 && client->questions >= client->fail_at)
		return NULL;
	do { /* the answer may come after the first signal */
		clearerr(client->in);
		errno = 0;
		n = getline(&line, &room, client->in);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		free(line);
		return NULL;
	}
	if (n > 0 && line[n - 1] == '\n')
		line[n - 1] = 0;
	if (client->hex)
		unhex(line);
	return line;
}

static void put_message(struct client *client, const struct pam_message *message)
{
	static const char *const names[] = { "?", "hidden", "visible", "error",
		"info" };
	int style = message->msg_style;

	fprintf(client->out, "{\"ev\":\"%s\",\"style\":\"%s\",\"msg\":",
	    style <= PAM_PROMPT_ECHO_ON ? "prompt" : "message",
	    style >= 1 && style <= 4 ? names[style] : "?");
	put_json(client->out, message->msg);
	fputs("}\n", client->out);
	fflush(client->out);
}

static void forget(struct pam_response *all, int count)
{
	for (int i = 0; i < count; i++)
		free(all[i].resp);
	free(all);
}

static int converse(int count, const struct pam_message **messages,
    struct pam_response **responses, void *data)
{
	struct client *client = data;
	struct pam_response *all;
	const char *kind = client->kind;

	*responses = NULL;
	for (int i = 0; i < count; i++)
		put_message(client, messages[i]);
	usleep((useconds_t)client->wait_ms * 1000);
	if (strcmp(kind, "fail") == 0)
		return PAM_CONV_ERR;
	if (strcmp(kind, "system") == 0)
		return PAM_SYSTEM_ERR;
	if (strcmp(kind, "null") == 0)
		return PAM_SUCCESS;
	all = calloc((size_t)count, sizeof *all);
	for (int i = 0; all != NULL && i < count; i++) {
		int style = messages[i]->msg_style;

		/* Proxmox answers even what is no question. */
		if (strcmp(kind, "chatty") == 0 && style > PAM_PROMPT_ECHO_ON)
			all[i].resp = strdup("a password");
		if (style > PAM_PROMPT_ECHO_ON || strcmp(kind, "empty") == 0)
			continue;
		all[i].resp = read_answer(client);
		if (all[i].resp == NULL) {
			forget(all, count);
			return PAM_CONV_ERR;
		}
	}
	*responses = all;
	return all == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static void note_delay(int rc, unsigned usec, void *data)
{
	struct client *client = data;

	(void)rc;
	client->delay = usec;
}

/* Sets one ITEM=VALUE; false if there is no such item. */
static bool set_item(pam_handle_t *pamh, const char *item)
{
	static const struct { const char *name; int type; } items[] = {
		{ "RHOST=", PAM_RHOST }, { "TTY=", PAM_TTY },
		{ "RUSER=", PAM_RUSER }, { "USER=", PAM_USER },
	};
	char text[4096];

	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		size_t n = strlen(items[i].name);

		if (strncmp(item, items[i].name, n) == 0)
			return pam_set_item(pamh, items[i].type, item + n) == 0;
	}
	if (strncmp(item, "AUTHTOK=", 8) != 0)
		return false;
	snprintf(text, sizeof text, "PROBE_SET=%s", item + 8);
	return pam_putenv(pamh, text) == PAM_SUCCESS;
}

static void put_env(const struct client *client, pam_handle_t *pamh)
{
	char **all = pam_getenvlist(pamh);

	for (char **one = all; one != NULL && *one != NULL; one++) {
		fputs("{\"ev\":\"env\",\"v\":", client->out);
		put_json(client->out, *one);
		fputs("}\n", client->out);
		free(*one);
	}
	free(all);
}

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	while (dir != NULL && readdir(dir) != NULL)
		count++;
	if (dir != NULL)
		closedir(dir);
	return count - 2;
}

/* Descriptors, threads, children, signals, alarm. */
static void put_host(const struct client *client)
{
	char line[256], *end;
	struct itimerval timer;
	FILE *status = fopen("/proc/self/status", "r");

	getitimer(ITIMER_REAL, &timer);
	fprintf(client->out, "{\"ev\":\"host\",\"alarm\":%ld",
	    client->interrupt ? 0L : (long)timer.it_value.tv_sec);
	while (status != NULL && fgets(line, sizeof line, status) != NULL) {
		if (strncmp(line, "Sig", 3) != 0 && strncmp(line, "Thr", 3) != 0 &&
		    strncmp(line, "Shd", 3) != 0)
			continue;
		if (strncmp(line, "SigQ", 4) == 0) /* counts all of the user's */
			continue;
		end = strchr(line, ':');
		if (end == NULL)
			continue;
		*end = 0;
		fprintf(client->out, ",\"%s\":\"%.*s\"", line,
		    (int)strcspn(end + 2, "\n"), end + 2);
	}
	if (status != NULL)
		fclose(status);
	fprintf(client->out, ",\"fds\":%d}\n", count_entries("/proc/self/fd"));
	fflush(client->out);
}

static void put_authtok(const struct client *client, pam_handle_t *pamh)
{
	const char *seen = pam_getenv(pamh, "PROBE_SEEN");

	if (seen == NULL || strcmp(seen, "none") == 0)
		fputs("{\"ev\":\"authtok\",\"hex\":null}\n", client->out);
	else
		fprintf(client->out, "{\"ev\":\"authtok\",\"hex\":\"%s\"}\n", seen);
	fflush(client->out);
}

static void pause_here(const struct client *client)
{
	int c;

	fputs("{\"ev\":\"pause\"}\n", client->out);
	fflush(client->out);
	do
		c = fgetc(client->in);
	while (c != EOF && c != '\n');
}

/* Far down the stack, so that a search later finds what modules left there. */
static int authenticate(pam_handle_t *pamh, int flags)
{
	volatile char room[1 << 16];

	room[0] = 0;
	return pam_authenticate(pamh, flags) + room[0];
}

static int call(pam_handle_t *pamh, const struct client *client,
    const char *op)
{
	if (strcmp(op, "auth") == 0)
		return authenticate(pamh, client->flags);
	if (strcmp(op, "acct") == 0)
		return pam_acct_mgmt(pamh, 0);
	if (strcmp(op, "setcred") == 0)
		return pam_setcred(pamh, PAM_ESTABLISH_CRED);
	if (strcmp(op, "open") == 0)
		return pam_open_session(pamh, 0);
	if (strcmp(op, "close") == 0)
		return pam_close_session(pamh, 0);
	if (strcmp(op, "chauthtok") == 0)
		return pam_chauthtok(pamh, 0);
	return -1;
}

/* The result of an op, or -1 if there is no such op. */
static int run(struct client *client, pam_handle_t *pamh, const char *op)
{
	const void *user = NULL;
	int rc;

	client->delay = 0;
	rc = call(pamh, client, op);
	if (rc < 0)
		return rc;
	pam_get_item(pamh, PAM_USER, &user);
	fprintf(client->out, "{\"ev\":\"op\",\"op\":\"%s\",\"rc\":%d,\"str\":", op,
	    rc);
	put_json(client->out, pam_strerror(pamh, rc));
	fprintf(client->out, ",\"delay\":%u,\"user\":", client->delay);
	put_json(client->out, user);
	fputs("}\n", client->out);
	fflush(client->out);
	return rc;
}

static int run_all(struct client *client, pam_handle_t *pamh, char **ops)
{
	int rc = PAM_SUCCESS;

	for (; *ops != NULL; ops++) {
		if (strcmp(*ops, "env") == 0)
			put_env(client, pamh);
		else if (strcmp(*ops, "host") == 0)
			put_host(client);
		else if (strcmp(*ops, "authtok") == 0)
			put_authtok(client, pamh);
		else if (strcmp(*ops, "pause") == 0)
			pause_here(client);
		else if (client->keep || rc == PAM_SUCCESS)
			rc = run(client, pamh, *ops);
		if (rc < 0)
			break;
	}
	return rc;
}

static bool read_option(struct client *client, int option)
{
	switch (option) {
	case 'd': client->confdir = optarg; return true;
	case 'f': client->flags = (int)strtol(optarg, NULL, 0); return true;
	case 'k': client->keep = true; return true;
	case 'x': client->hex = true; return true;
	case 'c': client->kind = optarg; return true;
	case 'n': client->fail_at = atoi(optarg); return true;
	case 'w': client->wait_ms = atoi(optarg); return true;
	case 'z': client->close_stdio = true; return true;
	case 'e': client->interrupt = true; return true;
	case 'i':
		if (client->item_count == ITEMS_MAX)
			return false;
		client->items[client->item_count++] = optarg;
		return true;
	default: return false;
	}
}

static void ignore_alarm(int signal)
{
	(void)signal;
}

/* Sets the process up as the requested kind of host. */
static void prepare(struct client *client)
{
	struct sigaction action = { .sa_handler = ignore_alarm };
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };

	client->in = stdin;
	client->out = stdout;
	if (client->close_stdio) {
		client->in = fdopen(fcntl(0, F_DUPFD_CLOEXEC, 20), "r");
		client->out = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 20), "w");
		for (int fd = 0; fd < 3; fd++)
			close(fd);
	}
	if (client->interrupt) {
		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &often, NULL);
	}
}

int main(int argc, char **argv)
{
	struct client client = { .kind = "" };
	struct pam_conv conv = { converse, &client };
	pam_handle_t *pamh = NULL;
	const char *user;
	int option, rc;

	while ((option = getopt(argc, argv, "+d:i:f:kxc:n:w:ze")) != -1)
		if (!read_option(&client, option))
			return 64;
	if (argc - optind < 2)
		return 64;
	user = *argv[optind + 1] != 0 ? argv[optind + 1] : NULL;
	prepare(&client);
	if (strcmp(client.kind, "none") == 0)
		conv.conv = NULL;
	rc = client.confdir != NULL
	    ? pam_start_confdir(argv[optind], user, &conv, client.confdir, &pamh)
	    : pam_start(argv[optind], user, &conv, &pamh);
	if (rc != PAM_SUCCESS)
		return 70;
	pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)note_delay);
	for (int i = 0; i < client.item_count; i++)
		if (!set_item(pamh, client.items[i]))
			return 64;
	rc = run_all(&client, pamh, argv + optind + 2);
	pam_end(pamh, rc < 0 ? PAM_ABORT : rc);
	return rc < 0 ? 64 : rc != PAM_SUCCESS;
}
