/* Many logins through libpam that answer at the same moment.
 *
 *   race-client DIR SERVICE [RELEASE [RHOST]]
 *
 * Reads one `USER CODE` a line, and starts a process for each. When every one
 * of them has been asked, and not before the time RELEASE (milliseconds since
 * 1970), all answer. They come from different places, or all from RHOST. Prints
 * how many were asked before anybody answered, and what each one got from
 * pam_authenticate: {"asked":2,"rc":[0,7]}. */
#define _GNU_SOURCE
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOGINS_MAX 256
#define WORD_MAX 64
#define PATIENCE_S 40
#define NOT_ASKED 99

struct racer {
	char user[WORD_MAX], code[WORD_MAX];
	int asked, release; /* pipes: say that we were asked; end of file: go */
};

static int converse(int count, const struct pam_message **messages,
    struct pam_response **responses, void *data)
{
	struct racer *racer = data;
	char byte = 0;

	*responses = calloc((size_t)count, sizeof **responses);
	if (*responses == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++) {
		if (messages[i]->msg_style != PAM_PROMPT_ECHO_OFF)
			continue;
		if (write(racer->asked, &byte, 1) != 1 ||
		    read(racer->release, &byte, 1) != 0)
			return PAM_CONV_ERR;
		(*responses)[i].resp = strdup(racer->code);
	}
	return PAM_SUCCESS;
}

/* Nobody waits after a failure: the race goes on. */
static void no_delay(int rc, unsigned usec, void *data)
{
	(void)rc;
	(void)usec;
	(void)data;
}

static int race(struct racer *racer, const char *dir, const char *service,
    int number, const char *origin)
{
	struct pam_conv conv = { converse, racer };
	pam_handle_t *pamh = NULL;
	char rhost[WORD_MAX];
	int rc;

	if (origin != NULL)
		snprintf(rhost, sizeof rhost, "%s", origin);
	else
		snprintf(rhost, sizeof rhost, "192.0.2.%d", number);
	if (pam_start_confdir(service, racer->user, &conv, dir, &pamh) !=
	    PAM_SUCCESS)
		return NOT_ASKED;
	pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
	pam_set_item(pamh, PAM_RHOST, rhost);
	rc = pam_authenticate(pamh, 0);
	pam_end(pamh, rc);
	return rc;
}

static int read_racers(struct racer *racers)
{
	int count = 0;

	while (count < LOGINS_MAX &&
	    scanf("%63s %63s", racers[count].user, racers[count].code) == 2)
		count++;
	return count;
}

static void wait_until(const char *milliseconds)
{
	long long ms = atoll(milliseconds);
	struct timespec at = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };

	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL);
}

int main(int argc, char **argv)
{
	static struct racer racers[LOGINS_MAX];
	static pid_t pids[LOGINS_MAX];
	int asked[2], release[2], count, status, questions = 0;
	char byte;

	if (argc < 3 || pipe(asked) != 0 || pipe(release) != 0)
		return 64;
	alarm(PATIENCE_S);
	count = read_racers(racers);
	for (int i = 0; i < count; i++) {
		racers[i].asked = asked[1];
		racers[i].release = release[0];
		pids[i] = fork();
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(asked[0]);
			close(release[1]);
			_exit(race(&racers[i], argv[1], argv[2], i,
			    argc > 4 ? argv[4] : NULL));
		}
	}
	close(asked[1]);
	while (questions < count && read(asked[0], &byte, 1) == 1)
		questions++;
	if (argc > 3)
		wait_until(argv[3]);
	close(release[1]);
	printf("{\"asked\":%d,\"rc\":[", questions);
	for (int i = 0; i < count; i++) {
		waitpid(pids[i], &status, 0);
		printf("%s%d", i == 0 ? "" : ",",
		    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	}
	printf("]}\n");
	return 0;
}
