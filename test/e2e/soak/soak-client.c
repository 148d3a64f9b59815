/* Logs users in through libpam, one after the other, for as long as it is told
 * whom.
 *
 *   soak-client CONFDIR
 *
 * Reads lines SERVICE USER CODE RHOST. For each it prints what
 * pam_authenticate returned, and after a blank the last message that was shown.
 * The delay after a failure is left out, as a host may ask for with
 * PAM_FAIL_DELAY. */
#define _GNU_SOURCE
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_SIZE 64
#define TEXT_SIZE 512
#define LINE_FORMAT "%63s %63s %63s %63s"

struct login {
	char service[WORD_SIZE], user[WORD_SIZE], code[WORD_SIZE];
	char rhost[WORD_SIZE], shown[TEXT_SIZE];
};

static void no_delay(int rc, unsigned usec, void *data)
{
	(void)rc;
	(void)usec;
	(void)data;
}

static int converse(int count, const struct pam_message **messages,
    struct pam_response **responses, void *data)
{
	struct login *login = data;
	struct pam_response *all = calloc((size_t)count, sizeof *all);

	if (all == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++) {
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF ||
		    messages[i]->msg_style == PAM_PROMPT_ECHO_ON)
			all[i].resp = strdup(login->code);
		else
			snprintf(login->shown, TEXT_SIZE, "%s",
			    messages[i]->msg);
	}
	*responses = all;
	return PAM_SUCCESS;
}

static int log_in(struct login *login, const char *confdir)
{
	struct pam_conv conv = { converse, login };
	pam_handle_t *pamh = NULL;
	int rc = pam_start_confdir(login->service, login->user, &conv, confdir,
	    &pamh);

	if (rc != PAM_SUCCESS)
		return rc;
	pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
	pam_set_item(pamh, PAM_RHOST, login->rhost);
	rc = pam_authenticate(pamh, 0);
	pam_end(pamh, rc);
	return rc;
}

int main(int argc, char **argv)
{
	struct login login;
	int rc;

	if (argc != 2)
		return 64;
	while (scanf(LINE_FORMAT, login.service, login.user, login.code,
	           login.rhost) == 4) {
		login.shown[0] = 0;
		rc = log_in(&login, argv[1]);
		printf("%d %s\n", rc, login.shown);
		fflush(stdout);
	}
	return 0;
}
